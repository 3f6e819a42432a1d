/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_golden_why.h - the part of make_golden.c that makes a recording as with
 * --detail.
 */
static void put_why(struct demux_segment_more more, struct demux_why why)
{
	struct demux_segment_why record = { .more = more, .why = why };

	record.more.segment.head.len = sizeof(record);
	record.more.segment.have |= DEMUX_HAVE_WHY;
	emitted++;
	put(&record, sizeof(record));
}

/* One of two, of which one has the address; one of a group of three; data, from
 * behind another in its slot; and what no listener could take. */
static void make_why(void)
{
	struct demux_ends ends = make_ends("192.0.2.1", 80, "192.0.2.9", 5001);
	struct demux_sock own = make_listener(90, "192.0.2.1", 80);
	struct demux_sock member = make_listener(93, "0.0.0.0", 8080);
	struct demux_segment_more more;
	struct demux_why why = {
		.have = DEMUX_WHY_CANDIDATES | DEMUX_WHY_OPTIONS,
		.candidates = 2,
		.candidate = {
			{ 90, 0, 2, DEMUX_CANDIDATE_ADDRESS |
					    DEMUX_CANDIDATE_FAMILY, 0 },
			{ 91, 2, 3, DEMUX_CANDIDATE_DEVICE |
					    DEMUX_CANDIDATE_FAMILY, 0 },
		},
		.option_bytes = 12,
		.options = { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 1, 1 },
	};

	open_recording("why", make_head());
	more = make_segment(later(), DEMUX_LISTENER, ends);
	more.segment.flags = F_SYN;
	give_sock(&more, own);
	put_why(more, why);

	put_why(make_match(later(), 101, ends),
		(struct demux_why){
			.have = DEMUX_WHY_SLOT | DEMUX_WHY_CHAIN |
				DEMUX_WHY_POSITION,
			.hash_slots = 16384,
			.hash_slot = 542,
			.chain_position = 1,
			.chain_length = 3,
		});

	ends.lport = 8080;
	why.have = DEMUX_WHY_CANDIDATES | DEMUX_WHY_GROUP |
		   DEMUX_WHY_GROUP_CHOICE | DEMUX_WHY_GROUP_HASH;
	why.candidates = why.group_size = 3;
	for (int i = 0; i < 3; i++)
		why.candidate[i] = (struct demux_candidate){
			.id = 92 + i,
			.score = 2,
			.flags = DEMUX_CANDIDATE_FAMILY |
				 DEMUX_CANDIDATE_REUSEPORT,
		};
	why.group_hash = 2000000000;
	why.group_index = 1;
	why.group_by = DEMUX_GROUP_BY_HASH;
	member.flags |= DEMUX_SOCK_REUSEPORT;
	more = make_segment(later(), DEMUX_LISTENER, ends);
	more.segment.flags = F_SYN;
	give_sock(&more, member);
	put_why(more, why);

	ends.lport = 81;
	more = make_segment(later(), DEMUX_NONE, ends);
	more.segment.flags = F_SYN;
	put_why(more, (struct demux_why){ .have = DEMUX_WHY_CANDIDATES });
	close_recording(make_end(later(), emitted, 0));
}
