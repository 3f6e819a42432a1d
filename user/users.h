/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * users.h - the names of users. Knows no stage.
 */
#ifndef USERS_H
#define USERS_H

#include <stdint.h>

/* Reads them, for the time when no file can be opened any more. Only those of
 * /etc/passwd: others would be asked for over the network. */
void users_load(void);
/* NULL for one that has no name there, or where nothing was read. */
const char *users_name(uint32_t uid);
void users_free(void);

#endif
