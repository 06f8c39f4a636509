# SPDX-License-Identifier: Apache-2.0
# Makes the C array NAME_aml from hv/guest/NAME.asl. iasl's own C output is not used, because it differs between
# iasl's versions.
HV_GEN += $(GEN)/dsdt_aml.h $(GEN)/pci_aml.h

$(GEN)/%.aml: hv/guest/%.asl
	@mkdir -p $(@D)
	$(call say,IASL,$@)
	$(Q)$(IASL) -we -vs -p $(@:.aml=) $< > $(@:.aml=.log) 2>&1 || { cat $(@:.aml=.log); exit 1; }

$(GEN)/%_aml.h: $(GEN)/%.aml
	@{ echo '// Made from hv/guest/$*.asl.'; \
	   echo '#ifndef GEN_$*_AML_H'; echo '#define GEN_$*_AML_H'; \
	   echo '#include <stdint.h>'; \
	   echo 'static const uint8_t $*_aml[] = {'; \
	   od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	   echo '};'; echo '#endif'; } > $@
