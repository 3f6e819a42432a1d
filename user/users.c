// SPDX-License-Identifier: GPL-2.0-only
/*
 * users.c - the names of users, by /etc/passwd. Knows no stage.
 */
#include "users.h"

#include <pwd.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct user {
	struct user *next;
	uint32_t uid;
	char *name;
} * users, **tail = &users;

void users_load(void)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry;

	while (file && (entry = fgetpwent(file))) {
		struct user *user = calloc(1, sizeof(*user));

		if (!user)
			break;
		user->uid = entry->pw_uid;
		user->name = strdup(entry->pw_name);
		*tail = user;
		tail = &user->next;
	}
	if (file)
		fclose(file);
}

/* The first one counts, as for getpwuid(). */
const char *users_name(uint32_t uid)
{
	for (const struct user *user = users; user; user = user->next)
		if (user->uid == uid)
			return user->name;
	return NULL;
}

void users_free(void)
{
	struct user *user;

	while ((user = users)) {
		users = user->next;
		free(user->name);
		free(user);
	}
	tail = &users;
}
