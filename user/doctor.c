// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - what this machine allows: the facts, then each backend for real,
 * then what came of it.
 */
#include "doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "doctor_report.h"
#include "log.h"
#include "options.h"
#include "sink.h"

/* include/linux/errno.h: it is not meant for user space, and BPF lets it out. */
#define KERNEL_ENOTSUPP 524

const char *doctor_error(int err)
{
	return err == -KERNEL_ENOTSUPP ? "not supported" : strerror(-err);
}

static void show(struct out *out, const struct doctor_report *report, bool json)
{
	if (json)
		doctor_json(out, report);
	else
		doctor_text(out, report);
	out_end(out);
}

int doctor(const struct options *options)
{
	static struct doctor_report report;
	struct utsname kernel;
	struct out out;
	int err = out_open(&out, "-");

	if (err) {
		log_error("cannot write to standard output: %s",
			  err == -EBADF ? "it is closed" : strerror(-err));
		return EXIT_FAILED;
	}
	if (!uname(&kernel))
		strcpy(report.kernel, kernel.release);
	report.asked = options->backend;
	report.verbose = log_verbose;
	doctor_checks(&report);
	doctor_backends(&report, options);
	show(&out, &report, options->outputs[0].type == &sink_json);
	err = out_close(&out);
	if (err && err != -EPIPE) {
		log_error("cannot write to standard output: %s",
			  strerror(-err));
		return EXIT_FAILED;
	}
	return report.best ? EXIT_DONE : EXIT_CANNOT_TRACE;
}
