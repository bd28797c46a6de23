# SPDX-License-Identifier: GPL-2.0-or-later

install: all
	install -D -m 755 $(BUILD)/ipvs-bpf $(DESTDIR)$(PREFIX)/sbin/ipvs-bpf
	install -d $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf
	for n in ipvsadm ipvsadm-save ipvsadm-restore; do \
		ln -sf ../../sbin/ipvs-bpf $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf/$$n || exit 1; done
	install -D -m 644 man/ipvs-bpf.8 $(DESTDIR)$(PREFIX)/share/man/man8/ipvs-bpf.8
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/ipvs-bpf/README.md

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/ipvs-bpf $(DESTDIR)$(PREFIX)/share/man/man8/ipvs-bpf.8
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/ipvs-bpf $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf

.PHONY: install uninstall
