/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * doctor.h - tells what this machine allows, why not more, and what would help.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

struct options;

/* Returns an exit code of options.h: EXIT_DONE where some backend works,
 * EXIT_CANNOT_TRACE where none does. */
int doctor(const struct options *options);

#endif
