// SPDX-License-Identifier: GPL-2.0-only
/*
 * namespaces.c - finds the network namespaces of this machine, and visits each.
 * Stage of the sources.
 */
#include "namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

struct walk {
	uint32_t only;
	namespaces_visit visit;
	void *context;
	int own_fd;
	uint32_t *seen; /* inodes of those that were visited or are barred */
	size_t seen_count;
	size_t barred;
};

static bool is_seen(const struct walk *walk, uint32_t inode)
{
	for (size_t i = 0; i < walk->seen_count; i++)
		if (walk->seen[i] == inode)
			return true;
	return false;
}

static int note_seen(struct walk *walk, uint32_t inode)
{
	uint32_t *seen =
		reallocarray(walk->seen, walk->seen_count + 1, sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	walk->seen = seen;
	seen[walk->seen_count++] = inode;
	return 0;
}

/* "net:[4026531840]"; 0 for anything else. */
static uint32_t parse_inode(const char *text)
{
	unsigned int inode = 0;

	return sscanf(text, "net:[%u]", &inode) == 1 ? inode : 0;
}

/* @fd is that namespace. */
static int enter(struct walk *walk, int fd, uint32_t inode)
{
	int err = note_seen(walk, inode);

	if (err)
		return err;
	if (setns(fd, CLONE_NEWNET)) {
		log_info("cannot enter network namespace %u: %s", inode,
			 strerror(errno));
		walk->barred++;
		return 0;
	}
	err = walk->visit(inode, walk->context);
	if (setns(walk->own_fd, CLONE_NEWNET)) {
		log_error("cannot return to the own network namespace: %s",
			  strerror(errno));
		err = err ?: -EIO;
	}
	return err;
}

/* The namespace at @path, if it is @inode still and was not visited yet. */
static int visit_path(struct walk *walk, const char *path, uint32_t inode)
{
	struct stat about;
	int fd, err = 0;

	if (!inode || (walk->only && walk->only != inode) ||
	    is_seen(walk, inode))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* another process, or mount, may still lead there */
	if (!fstat(fd, &about) && about.st_ino == inode)
		err = enter(walk, fd, inode);
	close(fd);
	return err;
}

/* The one that this thread is in: it need not be entered. */
static int visit_own(struct walk *walk)
{
	struct stat about;
	int err;

	if (fstat(walk->own_fd, &about))
		return -errno;
	if (walk->only && walk->only != about.st_ino)
		return 0;
	err = note_seen(walk, about.st_ino);
	return err ?: walk->visit(about.st_ino, walk->context);
}

static int visit_processes(struct walk *walk)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	while (proc && !err && (entry = readdir(proc))) {
		char path[32 + sizeof(entry->d_name)], link[64];
		ssize_t len;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		if (len < 0)
			continue;
		link[len] = '\0';
		err = visit_path(walk, path, parse_inode(link));
	}
	if (proc)
		closedir(proc);
	return err;
}

/* mountinfo has a blank in a path as \040, and so on. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int byte;

	for (; *text; text++) {
		if (strlen(text) >= 4 && sscanf(text, "\\%3o", &byte) == 1) {
			*to++ = (char)byte;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* Those that no process is in, but a mount keeps. */
static int visit_mounts(struct walk *walk)
{
	FILE *mounts = fopen("/proc/thread-self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	int err = 0;

	while (mounts && !err && getline(&line, &size, mounts) > 0) {
		char *root = NULL, *path = NULL;

		if (strstr(line, " - nsfs ") &&
		    sscanf(line, "%*s %*s %*s %ms %ms", &root, &path) == 2) {
			unescape(path);
			err = visit_path(walk, path, parse_inode(root));
		}
		free(root);
		free(path);
	}
	free(line);
	if (mounts)
		fclose(mounts);
	return err;
}

int namespaces_each(uint32_t only, namespaces_visit visit, void *context,
		    size_t *barred)
{
	struct walk walk = { .only = only, .visit = visit, .context = context };
	int err;

	walk.own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (walk.own_fd < 0)
		return -errno;
	err = visit_own(&walk);
	if (!err)
		err = visit_processes(&walk);
	if (!err)
		err = visit_mounts(&walk);
	if (walk.barred)
		log_info("%zu network namespaces could not be entered: what no "
			 "process has open there is not known",
			 walk.barred);
	*barred = walk.barred;
	close(walk.own_fd);
	free(walk.seen);
	return err;
}
