// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo_link.c - the wire of the demo, made over rtnetlink with libmnl, so that
 * ip(8) need not be there.
 */
#include "demo_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#define MESSAGE_MAX 1024
#define ANSWER_MAX  8192

/* Sends @message and waits for the kernel's word on it. */
static int talk(struct nlmsghdr *message)
{
	struct mnl_socket *route =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	char answer[ANSWER_MAX];
	ssize_t len;
	int err = 0;

	if (!route)
		return -errno;
	message->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (mnl_socket_bind(route, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(route, message, message->nlmsg_len) < 0)
		goto failed;
	len = mnl_socket_recvfrom(route, answer, sizeof(answer));
	if (len < 0 || mnl_cb_run(answer, len, message->nlmsg_seq,
				  mnl_socket_get_portid(route), NULL, NULL) < 0)
		goto failed;
	goto out;
failed:
	err = -errno;
out:
	mnl_socket_close(route);
	return err;
}

int demo_link_make(const char *name, const char *peer, pid_t peer_pid)
{
	char buffer[MESSAGE_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nlattr *info, *data, *other;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_str(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, peer);
	mnl_attr_put_u32(message, IFLA_NET_NS_PID, peer_pid);
	mnl_attr_nest_end(message, other);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return talk(message);
}

int demo_link_address(const char *name, const char *addr)
{
	char buffer[MESSAGE_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *about;
	struct in_addr bytes;

	if (inet_pton(AF_INET, addr, &bytes) != 1)
		return -EINVAL;
	message->nlmsg_type = RTM_NEWADDR;
	message->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	about = mnl_nlmsg_put_extra_header(message, sizeof(*about));
	about->ifa_family = AF_INET;
	about->ifa_prefixlen = 24;
	about->ifa_index = if_nametoindex(name);
	mnl_attr_put_u32(message, IFA_LOCAL, bytes.s_addr);
	mnl_attr_put_u32(message, IFA_ADDRESS, bytes.s_addr);
	return talk(message);
}

int demo_link_up(const char *name)
{
	char buffer[MESSAGE_MAX];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *about;

	message->nlmsg_type = RTM_NEWLINK;
	about = mnl_nlmsg_put_extra_header(message, sizeof(*about));
	about->ifi_index = if_nametoindex(name);
	about->ifi_flags = IFF_UP;
	about->ifi_change = IFF_UP;
	return talk(message);
}
