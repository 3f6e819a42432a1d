// SPDX-License-Identifier: GPL-2.0-only
/* test_kernel_btf.c - user/kernel_btf.c, asked of a kernel made up here. */
#include "test.h"

#include <bpf/btf.h>
#include <errno.h>

#include "kernel_btf.h"

static struct btf *made;
static int number;

static void add_func(const char *name, int args)
{
	int proto = btf__add_func_proto(made, number);

	for (int i = 0; i < args; i++)
		btf__add_func_param(made, "arg", number);
	assert_true(btf__add_func(made, name, BTF_FUNC_GLOBAL, proto) > 0);
}

static void add_tracepoint(const char *name, int args)
{
	int context = btf__add_ptr(made, 0);
	int proto = btf__add_func_proto(made, 0);

	btf__add_func_param(made, NULL, context);
	for (int i = 0; i < args; i++)
		btf__add_func_param(made, NULL, number);
	assert_true(btf__add_typedef(made, name, btf__add_ptr(made, proto)) >
		    0);
}

static int make_btf(void **state)
{
	(void)state;
	made = btf__new_empty();
	if (!made)
		return -1;
	number = btf__add_int(made, "int", 4, BTF_INT_SIGNED);
	add_func("none", 0);
	add_func("tcp_v4_rcv", 1);
	add_func("sk_filter_trim_cap", 4);
	add_tracepoint("btf_trace_kfree_skb", 4);
	add_tracepoint("btf_trace_bare", 0);
	btf__add_typedef(made, "btf_trace_odd", number);
	btf__add_enum(made, "skb_drop_reason", 4);
	btf__add_enum_value(made, "SKB_NOT_DROPPED_YET", 0);
	btf__add_enum_value(made, "SKB_DROP_REASON_NO_SOCKET", 3);
	btf__add_enum_value(made, "SKB_DROP_REASON_TCP_CSUM", 5);
	/* A name of another kind is not what is asked for. */
	btf__add_struct(made, "tcp_v6_rcv", 0);
	return 0;
}

static int free_btf(void **state)
{
	(void)state;
	btf__free(made);
	return 0;
}

static void test_func(void **state)
{
	(void)state;
	assert_int_equal(kernel_btf_func_args(made, "none"), 0);
	assert_int_equal(kernel_btf_func_args(made, "tcp_v4_rcv"), 1);
	assert_int_equal(kernel_btf_func_args(made, "sk_filter_trim_cap"), 4);
	assert_int_equal(kernel_btf_func_args(made, "tcp_v6_rcv"), -ENOENT);
	assert_int_equal(kernel_btf_func_args(made, "tcp_v4_rc"), -ENOENT);
}

static void test_tracepoint(void **state)
{
	(void)state;
	assert_int_equal(kernel_btf_tracepoint_args(made, "kfree_skb"), 4);
	assert_int_equal(kernel_btf_tracepoint_args(made, "bare"), 0);
	assert_int_equal(kernel_btf_tracepoint_args(made, "odd"), -ENOENT);
	assert_int_equal(kernel_btf_tracepoint_args(made, "gone"), -ENOENT);
}

static void test_enum(void **state)
{
	const char *type = "skb_drop_reason";
	uint32_t value = 99;

	(void)state;
	assert_false(kernel_btf_enum(made, "no_reason", "NO", &value));
	assert_false(kernel_btf_enum(made, type, "SKB_DROP", &value));
	assert_int_equal(value, 99);
	assert_true(kernel_btf_enum(made, type, "SKB_DROP_REASON_NO_SOCKET",
				    &value));
	assert_int_equal(value, 3);
	assert_true(kernel_btf_enum(made, type, "SKB_DROP_REASON_TCP_CSUM",
				    &value));
	assert_int_equal(value, 5);
}

/* Where there is one: what all kernels have since long before 5.10. */
static void test_running_kernel(void **state)
{
	struct btf *btf = btf__load_vmlinux_btf();

	(void)state;
	if (!btf) {
		print_message("skipped: this kernel has no BTF\n");
		skip();
	}
	assert_int_equal(kernel_btf_func_args(btf, "tcp_v4_rcv"), 1);
	assert_int_equal(kernel_btf_tracepoint_args(btf, "inet_sock_set_state"),
			 3);
	btf__free(btf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_func),
	cmocka_unit_test(test_tracepoint),
	cmocka_unit_test(test_enum),
	cmocka_unit_test(test_running_kernel),
};

int main(void)
{
	return cmocka_run_group_tests_name("kernel_btf", tests, make_btf,
					   free_btf);
}
