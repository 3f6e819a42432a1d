/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend_kprobe.h - a kprobe alone, for who wants to know whether there can be
 * one.
 */
#ifndef BACKEND_KPROBE_H
#define BACKEND_KPROBE_H

struct hook;

/* A perf event that stands for the probe, or -errno. */
int backend_kprobe_open(const struct hook *hook);

#endif
