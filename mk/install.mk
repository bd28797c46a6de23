# SPDX-License-Identifier: GPL-2.0-or-later

# they lead to each other by links
DOCS := $(wildcard *.md docs/*.md docs/*.svg docs/decisions/*.md)

install: all
	install -D -m 755 $(BUILD)/ipvs-bpf $(DESTDIR)$(PREFIX)/sbin/ipvs-bpf
	install -d $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf
	for n in ipvsadm ipvsadm-save ipvsadm-restore; do \
		ln -sf ../../sbin/ipvs-bpf $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf/$$n || exit 1; done
	install -D -m 644 man/ipvs-bpf.8 $(DESTDIR)$(PREFIX)/share/man/man8/ipvs-bpf.8
	for f in $(DOCS); do \
		install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/doc/ipvs-bpf/$$f || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/ipvs-bpf $(DESTDIR)$(PREFIX)/share/man/man8/ipvs-bpf.8
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/ipvs-bpf $(DESTDIR)$(PREFIX)/libexec/ipvs-bpf

.PHONY: install uninstall
