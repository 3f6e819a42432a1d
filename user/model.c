// SPDX-License-Identifier: GPL-2.0-only
/*
 * model.c - the sockets of this trace, and what happened on each local port.
 * Third stage.
 */
#include "classify.h"
#include "model_datagram.h"
#include "model_holders.h"
#include "model_reason.h"
#include "model_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Requests and TIME_WAIT sockets tell nobody when they go: after five SYN|ACK,
 * and after TCP_TIMEWAIT_LEN. */
#define REQUEST_IDLE_NS   (130 * NS_PER_S)
#define TIME_WAIT_IDLE_NS (65 * NS_PER_S)
#define SWEEP_NS          (10 * NS_PER_S)

static void keep_file(struct model_sock *sock, const struct demux_accept *from)
{
	sock->has_fd = from->have & DEMUX_HAVE_FD;
	sock->fd = from->fd;
	sock->has_inode = from->have & DEMUX_HAVE_INODE;
	sock->inode = from->inode;
}

/* Those that are known: what never got a segment, or began to listen before the
 * trace, may not be. */
static void name_candidates(const struct model *model, struct event *event)
{
	const struct demux_why *why = event->with_why;

	for (size_t i = 0; why && i < DEMUX_CANDIDATES; i++)
		if (why->candidate[i].id)
			event->candidate[i] =
				model_find(model, why->candidate[i].id);
}

/* What the table of sockets shows beside: all who have it, and its names. */
static int keep_all(const struct model *model, struct model_sock *sock,
		    const struct demux_accept *from)
{
	struct model_holder holder = {
		.pid = from->pid,
		.uid = from->uid,
		.has_fd = from->have & DEMUX_HAVE_FD,
		.fd = from->fd,
	};

	if (from->have & DEMUX_HAVE_COOKIE) {
		sock->has_cookie = true;
		sock->cookie = from->cookie;
	}
	if (from->have & DEMUX_HAVE_INODE) {
		sock->has_inode = true;
		sock->inode = from->inode;
	}
	if (!(from->have & DEMUX_HAVE_OWNER))
		return 0;
	memcpy(holder.comm, from->comm, sizeof(holder.comm));
	return model_holders_add(model, sock, &holder);
}

/* The payload goes to the socket that was born of the segment, if any. */
static void count_bytes(const struct demux_segment *seg,
			struct model_sock *sock, struct model_sock *child)
{
	if (seg->have & DEMUX_HAVE_TCP && seg->outcome <= DEMUX_TIME_WAIT)
		(child ? child : sock)->bytes += seg->payload;
}

/* Has its socket, which does not listen, other ends? */
static bool is_misplaced(const struct demux_segment *seg)
{
	return seg->have & DEMUX_HAVE_OUTCOME && seg->sock.ends.rport &&
	       !same_ends(&seg->ends, &seg->sock.ends);
}

static int apply_segment(struct model *model, struct event *event)
{
	const struct demux_segment *seg = event->segment;
	uint64_t now_ns = seg->head.mono_ns;
	struct model_sock *sock = NULL, *parent = NULL, *child = NULL;
	struct port *port;
	int err = 0;

	model_table_pass_by(model, seg);
	if (seg->have & DEMUX_HAVE_SOCK)
		err = model_table_meet(model, &seg->sock, now_ns, &sock);
	if (!err && event->with_parent)
		err = model_table_meet(model, event->with_parent, now_ns,
				       &parent);
	if (!err && event->with_child)
		err = model_table_meet(model, event->with_child, now_ns,
				       &child);
	if (err)
		return err;
	if (sock) {
		sock->segments++;
		sock->found_ns = now_ns;
		sock->found_cpu = seg->head.cpu;
		count_bytes(seg, sock, child);
		/* A first sight that is itself in doubt says nothing of who is
		 * in the lookup tables. */
		if (sock->born_ns == now_ns && is_misplaced(seg))
			model_table_drop_ends(model, sock);
	}
	if (parent && sock && model_table_is_mini(&sock->last))
		sock->parent = parent->number;
	if (child && child->born_ns == now_ns) {
		child->is_made = true;
		child->made_cpu = seg->head.cpu;
	}
	if (parent && child) {
		child->parent = parent->number;
		child->parent_pid = parent->has_owner ? parent->pid : 0;
	}
	/* A request ends when its child is born, a TIME_WAIT socket when a SYN
	 * reopens it; what is seen there later is another. */
	if (sock && parent && model_table_is_mini(&sock->last) &&
	    !sock->destroyed_ns && (child || sock->last.state == TCP_TIME_WAIT))
		model_table_bury(model, sock, now_ns);
	event->sock = sock;
	event->parent = parent;
	event->child = child;
	model_reason_tell(model, event);
	name_candidates(model, event);
	err = conns_note(&model->conns, seg, &event->numbers);
	if (err)
		return err;
	if (!(seg->have & DEMUX_HAVE_PORTS))
		return 0;
	port = ports_get(&model->ports, seg->ends.lport);
	if (!port)
		return -ENOMEM;
	port->segments++;
	port->matched += sock && seg->outcome >= DEMUX_ESTABLISHED &&
			 seg->outcome <= DEMUX_TIME_WAIT;
	return 0;
}

/* The socket that @event, which is none of a segment, is about. */
static int meet(struct model *model, struct event *event,
		const struct demux_sock *from, struct model_sock **sock)
{
	int err = model_table_meet(model, from, event->head->mono_ns, sock);

	event->sock = *sock;
	return err;
}

static int apply_accept(struct model *model, struct event *event)
{
	const struct demux_accept *accept = event->accept;
	struct model_sock *sock, *listener = NULL;
	int err = meet(model, event, &accept->sock, &sock);

	if (err)
		return err;
	model->accepted++;
	if (accept->have & DEMUX_HAVE_OWNER)
		model_table_own(sock, accept->pid, accept->comm);
	keep_file(sock, accept);
	if (accept->have & DEMUX_HAVE_LISTENER)
		listener = model_find(model, accept->listener);
	if (listener && !listener->has_owner && accept->have & DEMUX_HAVE_OWNER)
		model_table_own(listener, accept->pid, accept->comm);
	if (listener && !sock->parent)
		sock->parent = listener->number;
	event->parent = listener;
	return keep_all(model, sock, accept);
}

/* One of the processes that have it open. The first is shown as its owner,
 * unless accept() or listen() told another. */
static void hold(struct model_sock *sock, const struct demux_accept *was)
{
	/* All descriptors of one process come in a row. */
	if (sock->has_owner && was->pid != sock->pid &&
	    was->pid != sock->holder)
		sock->owners++;
	sock->holder = was->pid;
	if (!sock->has_owner)
		model_table_own(sock, was->pid, was->comm);
	if (!sock->has_fd && sock->pid == was->pid)
		keep_file(sock, was);
}

/* @sock was not known: if nothing comes to it, its port is not spoken of. */
static int count_older(struct model *model, struct model_sock *sock)
{
	struct port *port;

	if (!sock->counted || sock->last.state == TCP_LISTEN)
		return 0;
	port = ports_get(model_table_ports(model, &sock->last),
			 sock->last.ends.lport);
	if (!port)
		return -ENOMEM;
	port->older++;
	return 0;
}

/* From now on only those have it that have it at the end. */
static void begin_end(struct model *model, struct model_sock *sock)
{
	model->has_end = true;
	if (sock->at_end)
		return;
	sock->at_end = true;
	sock->has_owner = sock->has_fd = false;
	sock->owners = sock->holder = 0;
	model_holders_free(sock);
}

/* It was there before the trace: nobody accepted it in this one. */
static int apply_socket(struct model *model, struct event *event)
{
	const struct demux_accept *was = event->accept;
	struct model_sock *sock, *listener = NULL;
	uint64_t numbers = model->numbers;
	int err = meet(model, event, &was->sock, &sock);

	if (!err && model->numbers > numbers && !(was->have & DEMUX_AT_END))
		err = count_older(model, sock);
	if (err)
		return err;
	if (was->have & DEMUX_AT_END)
		begin_end(model, sock);
	sock->bound_to = was->sock.ifindex;
	if (was->have & DEMUX_HAVE_OWNER)
		hold(sock, was);
	if (was->have & DEMUX_HAVE_LISTENER)
		listener = model_find(model, was->listener);
	if (listener && !sock->parent) {
		sock->parent = listener->number;
		sock->parent_pid = listener->has_owner ? listener->pid : 0;
	}
	event->parent = listener;
	return keep_all(model, sock, was);
}

/* Its process has shut the listener down, and has it listen once more: that is
 * another, however soon. */
static void end_before(struct model *model, const struct demux_listen *listen)
{
	struct model_sock *sock = model_find(model, listen->sock.id);

	if (sock && sock->closed_ns && !sock->destroyed_ns &&
	    listen->sock.state == TCP_LISTEN &&
	    listen->head.mono_ns > sock->closed_ns)
		model_table_bury(model, sock, sock->closed_ns);
}

static int apply_listen(struct model *model, struct event *event)
{
	const struct demux_listen *listen = event->listen;
	struct model_holder holder = { 0 };
	struct model_sock *sock;
	int err;

	end_before(model, listen);
	err = meet(model, event, &listen->sock, &sock);
	if (err)
		return err;
	model_table_own(sock, listen->pid, listen->comm);
	holder.pid = listen->pid;
	holder.uid = listen->uid;
	memcpy(holder.comm, listen->comm, sizeof(holder.comm));
	return model_holders_add(model, sock, &holder);
}

static int apply_close(struct model *model, struct event *event)
{
	const struct demux_close *close = event->close;
	uint64_t now_ns = close->head.mono_ns;
	struct model_sock *sock = model_find(model, close->sock.id);
	int err;

	/* One that no segment met has a number too, so that nothing is hidden,
	 * but its second farewell says nothing. */
	if (!sock || (sock->destroyed_ns && now_ns > sock->destroyed_ns)) {
		err = model_table_meet(model, &close->sock, now_ns, &sock);
		if (err)
			return err;
	}
	event->sock = sock;
	event->repeated = sock->closed_ns != 0;
	if (!sock->closed_ns)
		sock->closed_ns = now_ns ?: 1;
	model_table_drop_ends(model, sock);
	if (close->how == DEMUX_DESTROYED && !sock->destroyed_ns)
		model_table_bury(model, sock, now_ns);
	return 0;
}

/* What had been read of it before, and is told later, has its old device. */
static int apply_device(struct model *model, struct event *event)
{
	const struct demux_device *device = event->device;
	struct model_sock *sock;
	int err = model_table_meet_rebound(model, &device->sock,
					   device->head.mono_ns, &sock);

	if (err)
		return err;
	event->sock = sock;
	sock->rebound_ns = device->head.mono_ns;
	sock->bound_to = device->sock.ifindex;
	return 0;
}

static void drop_idle_mini(struct htab_node *node, void *context)
{
	struct model_sock *sock = htab_entry(node, struct model_sock, by_id);
	struct model *model = context;
	uint64_t end_ns = sock->seen_ns + (sock->last.state == TCP_TIME_WAIT ?
						   TIME_WAIT_IDLE_NS :
						   REQUEST_IDLE_NS);

	if (model_table_is_mini(&sock->last) && !sock->destroyed_ns &&
	    end_ns < model->swept_ns)
		model_table_bury(model, sock, end_ns);
}

static bool is_open(void *model, const struct demux_ends *ends, uint32_t netns)
{
	return model_find_ends(model, ends, netns);
}

int model_apply(struct model *model, struct event *event)
{
	uint64_t now_ns = event->head->mono_ns;

	model_table_free_dead(model, now_ns);
	if (now_ns > model->swept_ns + SWEEP_NS) {
		model->swept_ns = now_ns;
		htab_each(&model->socks, drop_idle_mini, model);
		if (now_ns > REQUEST_IDLE_NS)
			conns_sweep(&model->conns, now_ns - REQUEST_IDLE_NS,
				    is_open, model);
	}
	switch (event->head->type) {
	case DEMUX_SEGMENT:
		return apply_segment(model, event);
	case DEMUX_ACCEPT:
		return apply_accept(model, event);
	case DEMUX_DATAGRAM:
		return model_datagram_apply(model, event);
	case DEMUX_BIND:
		return model_datagram_bind(model, event);
	case DEMUX_SOCKET:
		return apply_socket(model, event);
	case DEMUX_LISTEN:
		return apply_listen(model, event);
	case DEMUX_CLOSE:
		return apply_close(model, event);
	case DEMUX_DEVICE:
		return apply_device(model, event);
	case DEMUX_REASON:
		return model_reason_apply(model, event);
	}
	return 0;
}

/* --- begin and end --------------------------------------------------------- */

void model_init(struct model *model)
{
	*model = (struct model){ 0 };
	model->dead_tail = &model->dead;
}

static void free_sock(struct htab_node *node, void *context)
{
	(void)context;
	model_table_free(htab_entry(node, struct model_sock, by_id));
}

void model_free(struct model *model)
{
	model->keeps_all = false;
	model_table_free_dead(model, UINT64_MAX);
	htab_each(&model->socks, free_sock, NULL);
	htab_free(&model->socks);
	htab_free(&model->ends);
	ports_free(&model->ports);
	conns_free(&model->conns);
	for (int i = 0; i < MODEL_REASONS; i++)
		free(model->reasons[i]);
	model_datagram_free(model);
}
