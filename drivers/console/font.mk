# SPDX-License-Identifier: Apache-2.0
# The screen's font comes from a packaged console font.
FONT   ?= /usr/share/consolefonts/Lat15-Fixed16.psf.gz
HV_GEN += $(GEN)/font.h

$(GEN)/font.h: tests/tools/font.py $(wildcard $(FONT))
	$(call say,FONT,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tests/tools/font.py $(FONT) > $@.new
	@mv $@.new $@
