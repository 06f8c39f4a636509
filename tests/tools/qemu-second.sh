#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks the backported QEMU of this Debian release beside the installed one, for tests that need
# both versions. Nothing is installed: apt works on lists of its own in build/cache, and the package
# files are unpacked there. The source is the configured one with another suite name.
#
# Leaves build/cache/qemu10/run, a wrapper that starts it, or build/cache/qemu10.unavailable with
# the reason; then the next run tries again.
set -eu
cd "$(dirname "$0")/../.."
cache=$PWD/build/cache
dest=$cache/qemu10
apt=$cache/apt-backports
[ ! -x "$dest/run" ] || exit 0
mkdir -p "$cache"

unavailable() {
    echo "second QEMU: going on without it: $1"
    echo "$1" >"$cache/qemu10.unavailable"
    rm -rf "$dest"
    exit 0
}

. /etc/os-release
suite=${VERSION_CODENAME:-unknown}
[ "$suite" = bookworm ] ||
    unavailable "Debian $suite offers one QEMU version only (two are tested on bookworm)"

source=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' \
    'Created-By: Packages' | awk -v s="$suite" '$2 == s && $3 == "main"' | head -n 1)
[ -n "$source" ] || unavailable "no apt source for $suite main is configured"
uri=${source%% *}
# The archive's own keys, which sign its backports too.
key=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$key" ] || key=

echo "second QEMU: fetching from $suite-backports into build/cache (nothing is installed)"
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
# Lists already fetched are not fetched again.
cp -n /var/lib/apt/lists/*_Packages* /var/lib/apt/lists/*Release* "$apt/lists/" 2>/dev/null || true
{
    cat /etc/apt/sources.list 2>/dev/null || true
    echo "deb ${key:+[signed-by=$key]} $uri $suite-backports main"
} >"$apt/sources.list"
private_apt() {
    apt-get -q -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::State::lists=$apt/lists" \
        -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" -o Debug::NoLocking=1 \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}
if ! private_apt update >"$apt/update.log" 2>&1; then
    unavailable "apt-get update with $suite-backports failed: $(grep -m1 -E '^(E|W):' "$apt/update.log")"
fi

# What an installation would bring, libraries included, less what is installed already.
wanted=$(private_apt -s install --no-install-recommends -t "$suite-backports" qemu-system-x86 \
    qemu-system-common qemu-system-data seabios 2>"$apt/resolve.log" |
    sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p') || true
# Only what differs from the installed system, so a dependency that is upgraded comes along.
case $wanted in
*qemu-system-x86=*) ;;
*) unavailable "$suite-backports offers no newer qemu-system-x86" ;;
esac

rm -rf "$dest"
mkdir -p "$dest/debs" "$dest/root"
(
    cd "$dest/debs"
    # shellcheck disable=SC2086 # one word per package
    private_apt download $wanted >"$apt/download.log" 2>&1
) || unavailable "download failed: $(grep -m1 -E '^(E|W):' "$apt/download.log")"
for deb in "$dest"/debs/*.deb; do
    case ${deb##*/} in
    libc6_* | libc-bin_*) continue ;; # not of the loader in use
    esac
    dpkg -x "$deb" "$dest/root" || unavailable "${deb##*/} can't be unpacked"
done
rm -rf "$dest/debs"

cat >"$dest/run" <<'WRAP'
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/lib/x86_64-linux-gnu"
export QEMU_MODULE_DIR="$root/usr/lib/x86_64-linux-gnu/qemu"
exec "$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \
    -L "$root/usr/lib/ipxe/qemu" "$@"
WRAP
chmod +x "$dest/run"
if ! version=$("$dest/run" --version 2>&1); then
    unavailable "the unpacked QEMU does not run: $(echo "$version" | head -n 1)"
fi
rm -f "$cache/qemu10.unavailable"
echo "second QEMU: $(echo "$version" | head -n 1)"
