#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# ftpd.pl NAME: an FTP server on port 21, IPv4, one client at a time, passive and active; every file that is
# asked for holds NAME. Addresses in its answers are its own, so that only a helper on the way makes them right.
use strict;
use warnings;
use IO::Socket::INET;

my $name = shift // die "usage: ftpd.pl NAME\n";
my $listen = IO::Socket::INET->new(LocalPort => 21, Listen => 5, ReuseAddr => 1) or die "ftpd: $!\n";
$SIG{PIPE} = 'IGNORE';

sub pasv {
	my $c = shift;
	my $l = IO::Socket::INET->new(LocalAddr => $c->sockhost, Listen => 1, Timeout => 10) or return;
	my $p = $l->sockport;
	printf $c "227 Entering Passive Mode (%s,%d,%d)\r\n", join(',', split /\./, $c->sockhost), $p >> 8, $p & 255;
	return sub { $l->accept };
}

sub port {
	my ($c, @n) = @_;
	print $c "200 PORT command successful\r\n";
	return sub { IO::Socket::INET->new(PeerAddr => join('.', @n[0 .. 3]), PeerPort => $n[4] * 256 + $n[5],
		LocalAddr => $c->sockhost, LocalPort => 20, ReuseAddr => 1, Timeout => 10) };
}

while (my $c = $listen->accept) {
	my $data;
	$c->autoflush(1);
	print $c "220 ready\r\n";
	while (my $line = <$c>) {
		if ($line =~ /^PASV/i) {
			$data = pasv($c);
		} elsif ($line =~ /^PORT (\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/i) {
			$data = port($c, $1, $2, $3, $4, $5, $6);
		} elsif ($line =~ /^RETR/i && $data) {
			print $c "150 here it comes\r\n";
			my $d = $data->();
			print $d "$name\n" if $d;
			close $d if $d;
			print $c $d ? "226 done\r\n" : "425 no data connection\r\n";
		} elsif ($line =~ /^(USER|PASS|TYPE|CWD|QUIT)/i) {
			my %answer = (USER => '331 password?', PASS => '230 in', QUIT => '221 bye');
			printf $c "%s\r\n", $answer{uc $1} // '200 ok';
			last if $line =~ /^QUIT/i;
		} else {
			print $c "502 not here\r\n";
		}
	}
}
