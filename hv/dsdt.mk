# SPDX-License-Identifier: Apache-2.0
# hv/dsdt.asl becomes a C array: iasl's own C output differs between its versions.
HV_GEN += $(GEN)/dsdt_aml.h

$(GEN)/dsdt.aml: hv/dsdt.asl
	@mkdir -p $(@D)
	$(call say,IASL,$@)
	$(Q)$(IASL) -we -vs -p $(@:.aml=) $< > $(@:.aml=.log) 2>&1 || { cat $(@:.aml=.log); exit 1; }

$(GEN)/dsdt_aml.h: $(GEN)/dsdt.aml
	@{ echo '// Made from hv/dsdt.asl.'; \
	   echo '#ifndef GEN_DSDT_AML_H'; echo '#define GEN_DSDT_AML_H'; \
	   echo '#include <stdint.h>'; \
	   echo 'static const uint8_t dsdt_aml[] = {'; \
	   od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'; \
	   echo '};'; echo '#endif'; } > $@
