// SPDX-License-Identifier: GPL-2.0-only
/*
 * sock_diag.c - the TCP or UDP sockets of a network namespace, over netlink with
 * libmnl. Stage of the sources.
 */
#include "sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "htab.h"
#include "tcp_states.h"

#define REQUEST_MAX 256
/* The kernel fills as much as it is offered, up to this. */
#define ANSWER_MAX 32768

#define ALL_STATES ((1 << (TCP_NEW_SYN_RECV + 1)) - 2)

/* inet_diag_msg.idiag_timer of a TIME_WAIT minisock, whose state is told as
 * FIN_WAIT2 for a while. */
#define TIMER_TIME_WAIT 3

struct dump {
	struct records *to;
	uint32_t netns;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint64_t made_ns; /* when the kernel had not begun this message yet */
};

/* Different for each socket, the same each time that it is read. */
static uint64_t make_id(const struct demux_accept *record)
{
	const struct demux_ends *ends = &record->sock.ends;
	uint64_t words[4], id;

	memcpy(words, ends->laddr, 16);
	memcpy(words + 2, ends->raddr, 16);
	id = htab_mix(record->cookie, record->sock.netns);
	for (int i = 0; i < 4; i++)
		id = htab_mix(id, words[i]);
	id = htab_mix(id, (uint64_t)ends->lport << 16 | ends->rport);
	return id ?: 1;
}

static bool is_time_wait(const struct inet_diag_msg *msg)
{
	return msg->idiag_timer == TIMER_TIME_WAIT;
}

static uint8_t state_of(const struct inet_diag_msg *msg)
{
	if (is_time_wait(msg))
		return TCP_TIME_WAIT;
	/* But for Fast Open all of these are requests. */
	return msg->idiag_state == TCP_SYN_RECV ? TCP_NEW_SYN_RECV :
						  msg->idiag_state;
}

struct demux_accept sock_diag_record(const struct inet_diag_msg *msg,
				     uint32_t netns)
{
	const struct inet_diag_sockid *id = &msg->id;
	size_t size = msg->idiag_family == AF_INET6 ? 16 : 4;
	struct demux_accept record = {
		.head = { .type = DEMUX_SOCKET, .len = sizeof(record) },
		.inode = msg->idiag_inode,
		.cookie = (uint64_t)id->idiag_cookie[1] << 32 |
			  id->idiag_cookie[0],
		.sock = {
			.ends = {
				.family = size == 16 ? 6 : 4,
				.lport = ntohs(id->idiag_sport),
				.rport = ntohs(id->idiag_dport),
			},
			.netns = netns,
			.ifindex = id->idiag_if,
			.state = state_of(msg),
			.flags = DEMUX_SOCK_BY_ENDS,
			.substate = is_time_wait(msg) ? msg->idiag_state : 0,
		},
	};

	memcpy(record.sock.ends.laddr, id->idiag_src, size);
	memcpy(record.sock.ends.raddr, id->idiag_dst, size);
	if (record.inode)
		record.have |= DEMUX_HAVE_INODE;
	if (record.cookie)
		record.have |= DEMUX_HAVE_COOKIE;
	record.sock.id = make_id(&record);
	return record;
}

static int on_attribute(const struct nlattr *attribute, void *context)
{
	struct demux_accept *record = context;

	if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY &&
	    mnl_attr_get_payload_len(attribute) && mnl_attr_get_u8(attribute))
		record->sock.flags |= DEMUX_SOCK_V6ONLY;
	return MNL_CB_OK;
}

static int on_message(const struct nlmsghdr *message, void *context)
{
	struct dump *dump = context;
	const struct inet_diag_msg *about = mnl_nlmsg_get_payload(message);
	struct demux_accept record;
	int err;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*about))
		return MNL_CB_OK;
	record = sock_diag_record(about, dump->netns);
	mnl_attr_parse(message, sizeof(*about), on_attribute, &record);
	if (dump->proto == IPPROTO_UDP)
		record.sock.flags |= DEMUX_SOCK_UDP;
	else if (record.sock.state == TCP_CLOSE)
		return MNL_CB_OK; /* in no lookup table */
	record.head.mono_ns = dump->made_ns;
	err = records_add(dump->to, &record);
	if (!err)
		return MNL_CB_OK;
	errno = -err;
	return MNL_CB_ERROR;
}

static int ask(struct mnl_socket *diag, int family, uint8_t proto)
{
	char buffer[REQUEST_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(message, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = proto;
	request->idiag_states = ALL_STATES;
	return mnl_socket_sendto(diag, message, message->nlmsg_len) < 0 ?
		       -errno :
		       0;
}

/*
 * The kernel makes the first answer when it is asked, and each further one when
 * the one before is received: so an answer's time is taken a step earlier. What
 * changes later than that time is told by a hook as well.
 */
static int dump_family(struct mnl_socket *diag, int family, struct dump *dump)
{
	char answer[ANSWER_MAX];
	uint64_t next_ns;
	int err, more = MNL_CB_OK;

	dump->made_ns = clock_mono_ns();
	err = ask(diag, family, dump->proto);
	while (!err && more > MNL_CB_STOP) {
		ssize_t len;

		next_ns = clock_mono_ns();
		len = mnl_socket_recvfrom(diag, answer, sizeof(answer));
		if (len < 0 && errno == EINTR)
			continue;
		if (len >= 0)
			more = mnl_cb_run(answer, len, 0,
					  mnl_socket_get_portid(diag),
					  on_message, dump);
		if (len < 0 || more < 0)
			err = -errno;
		dump->made_ns = next_ns;
	}
	return err;
}

int sock_diag_read(struct records *to, uint32_t netns, uint8_t proto)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct dump dump = { .to = to, .netns = netns, .proto = proto };
	struct mnl_socket *diag =
		mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int err = 0;

	if (!diag)
		return -errno;
	if (mnl_socket_bind(diag, 0, MNL_SOCKET_AUTOPID))
		err = -errno;
	for (int i = 0; !err && i < 2; i++)
		err = dump_family(diag, families[i], &dump);
	mnl_socket_close(diag);
	return err;
}
