/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usage COMMAND...: "LINES BYTES MS KB": what a command has printed, the processor time that it
 * took, and the most memory that it had.
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char buf[65536];
	long long lines = 0, bytes = 0;
	struct rusage u;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (argc < 2 || pipe(fds))
		return 2;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0) {
		bytes += n;
		for (char *p = buf; (p = memchr(p, '\n', (size_t)(buf + n - p))); p++)
			lines++;
	}
	if (wait4(pid, &status, 0, &u) != pid || status)
		return 1;
	printf("%lld %lld %ld %ld\n", lines, bytes,
	       (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
		       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000,
	       u.ru_maxrss);
	return 0;
}
