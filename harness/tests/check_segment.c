#include "net/segment.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Segments: what headers say, which frames a pattern counts, and how it reads. */

/* --- packets --- */

#define PORTS 0x26, 0x95, 0xd4, 0x31 /* 9877, 54321 */
#define IPV4(length, fragment, offset, protocol)                                                   \
    0x45, 0, 0, length, 0, 0, fragment, offset, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
#define IPV6(length, next)                                                                         \
    0x60, 0, 0, 0, 0, length, next, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfd,   \
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2
#define TCP(flags) PORTS, 0xfe, 0xdc, 0xba, 0x98, 1, 2, 3, 4, 0x50, flags, 0, 0, 0, 0, 0, 0
#define TCP_OPTIONS(flags)                                                                         \
    PORTS, 0xfe, 0xdc, 0xba, 0x98, 1, 2, 3, 4, 0x60, flags, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0
#define UDP PORTS, 0, 11, 0, 0
#define DATA 'a', 'b', 'c'

enum { ROOM = 96 };

static const struct {
    const char *name;
    unsigned char bytes[ROOM];
    size_t length;
    uint16_t ethertype;
    const char *words; /* see below */
} packets[] = {
    {"SYN",
     {IPV4(40, 0x40, 0, 6), TCP(0x02)},
     40,
     ETH_P_IP,
     "tcp 4 10.0.0.1:9877 10.0.0.2:54321 SYN+0"},
    {"data",
     {IPV4(43, 0x40, 0, 6), TCP(0x18), DATA},
     43,
     ETH_P_IP,
     "tcp 4 10.0.0.1:9877 10.0.0.2:54321 PSH+ACK+3"},
    {"options",
     {IPV4(47, 0x40, 0, 6), TCP_OPTIONS(0x11), DATA},
     47,
     ETH_P_IP,
     "tcp 4 10.0.0.1:9877 10.0.0.2:54321 FIN+ACK+3"},
    {"padding is no data",
     {IPV4(40, 0x40, 0, 6), TCP(0x10), 0, 0, 0, 0, 0, 0},
     46,
     ETH_P_IP,
     "tcp 4 10.0.0.1:9877 10.0.0.2:54321 ACK+0"},
    {"cut behind the header: what the packet had counts",
     {IPV4(40, 0x40, 0, 6), TCP(0x04)},
     40,
     ETH_P_IP,
     "tcp 4 10.0.0.1:9877 10.0.0.2:54321 RST+0"},
    {"IPv6",
     {IPV6(23, 6), TCP(0x12), DATA},
     63,
     ETH_P_IPV6,
     "tcp 6 fd00::1:9877 fd00::2:54321 SYN+ACK+3"},
    {"UDP",
     {IPV4(31, 0x40, 0, 17), UDP, DATA},
     31,
     ETH_P_IP,
     "udp 4 10.0.0.1:9877 10.0.0.2:54321 3"},
    {"UDP in IPv6", {IPV6(8, 17), UDP}, 48, ETH_P_IPV6, "udp 6 fd00::1:9877 fd00::2:54321 0"},
    {"ICMP",
     {IPV4(28, 0x40, 0, 1), 3, 13, 0, 0, 0, 0, 0, 0},
     28,
     ETH_P_IP,
     "icmp 4 10.0.0.1 10.0.0.2 3/13+0"},
    {"ICMPv6",
     {IPV6(11, 58), 1, 4, 0, 0, 0, 0, 0, 0, DATA},
     51,
     ETH_P_IPV6,
     "icmpv6 6 fd00::1 fd00::2 1/4+3"},
    {"a first fragment",
     {IPV4(31, 0x20, 0, 17), UDP, DATA},
     31,
     ETH_P_IP,
     "udp 4 10.0.0.1:9877 10.0.0.2:54321 3"},
    {"a later fragment has no ports",
     {IPV4(31, 0, 1, 17), UDP, DATA},
     31,
     ETH_P_IP,
     "udp 4 10.0.0.1 10.0.0.2 11"},
    {"a later fragment of TCP has no flags",
     {IPV4(43, 0, 1, 6), TCP(0x01), DATA},
     43,
     ETH_P_IP,
     "tcp 4 10.0.0.1 10.0.0.2 +23"},
    {"extensions",
     {IPV6(31, 0), 60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0, UDP, DATA, 0, 0, 0, 0},
     71,
     ETH_P_IPV6,
     "udp 6 fd00::1:9877 fd00::2:54321 7"},
    {"a first fragment in IPv6",
     {IPV6(19, 44), 17, 0, 0, 1, 0, 0, 0, 0, UDP, DATA},
     59,
     ETH_P_IPV6,
     "udp 6 fd00::1:9877 fd00::2:54321 3"},
    {"a later one",
     {IPV6(19, 44), 17, 0, 0, 8, 0, 0, 0, 0, UDP, DATA},
     59,
     ETH_P_IPV6,
     "udp 6 fd00::1 fd00::2 11"},
    {"ARP", {0, 1, 8, 0, 6, 4, 0, 1}, 28, ETH_P_ARP, "arp"},
    {"another protocol",
     {IPV4(24, 0x40, 0, 132), 1, 2, 3, 4},
     24,
     ETH_P_IP,
     "other 4 10.0.0.1 10.0.0.2 4"},
    {"another ethertype", {1, 2, 3, 4}, 4, 0x88cc, "other"},
    {"nothing", {0}, 0, ETH_P_IP, "other"},
    {"IPv6 that says IPv4", {IPV6(23, 6), TCP(0x12), DATA}, 63, ETH_P_IP, "other"},
    {"IPv4 that says IPv6", {IPV4(40, 0x40, 0, 6), TCP(0x02)}, 40, ETH_P_IPV6, "other"},
    {"a header shorter than a header", {0x44, 0, 0, 40}, 40, ETH_P_IP, "other"},
};
enum { PACKETS = sizeof packets / sizeof packets[0] };

static const char *const flag_names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
static const char *const protocols[SEGMENT_PROTOCOLS] = {"any",    "tcp", "udp",  "icmp",
                                                         "icmpv6", "arp", "other"};

static void write_end(FILE *out, const struct segment *segment, const unsigned char *address,
                      int port)
{
    char text[INET6_ADDRSTRLEN];

    fprintf(out, " %s", inet_ntop(segment->family, address, text, sizeof text));
    if (segment->has_ports)
        fprintf(out, ":%d", port);
}

static void write_inside(FILE *out, const struct segment *segment)
{
    fprintf(out, " ");
    for (int bit = 0; bit < 8; bit++)
        if (segment->flags & 1U << bit)
            fprintf(out, "%s%s", segment->flags & ((1U << bit) - 1) ? "+" : "", flag_names[bit]);
    if (segment->protocol == SEGMENT_ICMP || segment->protocol == SEGMENT_ICMPV6)
        fprintf(out, "%d/%d", segment->type, segment->code);
    if (segment->protocol != SEGMENT_UDP && segment->protocol != SEGMENT_OTHER)
        fprintf(out, "+");
    fprintf(out, "%zu", segment->payload);
}

/* "tcp 4 10.0.0.1:9877 10.0.0.2:54321 SYN+0": the protocol, the version, the ends, the flags or the
 * type and code, the payload. */
static char *in_words(const struct segment *segment)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(out);
    fprintf(out, "%s", protocols[segment->protocol]);
    if (segment->family != AF_UNSPEC) {
        fprintf(out, " %d", segment->family == AF_INET ? 4 : 6);
        write_end(out, segment, segment->source, segment->source_port);
        write_end(out, segment, segment->destination, segment->destination_port);
        write_inside(out, segment);
    }
    fclose(out);
    return text;
}

/* From memory of just that size, so that a sanitizer sees a byte too many read. */
static struct segment parse(int packet, size_t length)
{
    unsigned char *bytes = malloc(length ? length : 1);
    struct segment segment;

    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, packets[packet].bytes, length);
    segment = segment_parse(packets[packet].ethertype, bytes, length);
    free(bytes);
    return segment;
}

START_TEST(headers_say_what_they_say)
{
    const struct segment segment = parse(_i, packets[_i].length);
    char *words = in_words(&segment);

    ck_assert_msg(strcmp(words, packets[_i].words) == 0, "%s\nexpected: %s\ngot:      %s",
                  packets[_i].name, packets[_i].words, words);
    free(words);
}
END_TEST

START_TEST(numbers_of_tcp_are_read)
{
    const struct segment segment = parse(0, packets[0].length);

    ck_assert_uint_eq(segment.sequence, 0xfedcba98);
    ck_assert_uint_eq(segment.acknowledgement, 0x01020304);
}
END_TEST

/* However short, nothing beyond the end is read, and no payload is invented. */
START_TEST(what_is_cut_short_is_read_as_far_as_it_goes)
{
    for (size_t length = 0; length <= packets[_i].length; length++)
        ck_assert_uint_le(parse(_i, length).payload, length);
}
END_TEST

/* Extensions that name one another for ever end with the packet. */
START_TEST(every_packet_is_read_to_an_end)
{
    unsigned char bytes[40 + 8 * 200] = {IPV6(0, 0)};

    bytes[4] = 200 * 8 >> 8;
    bytes[5] = (200 * 8) & 0xff;
    ck_assert_int_eq(segment_parse(ETH_P_IPV6, bytes, sizeof bytes).protocol, SEGMENT_OTHER);
}
END_TEST

/* --- patterns --- */

#define CLIENT .has_ports = true, .source_port = 5000, .destination_port = 9877
#define SERVER .has_ports = true, .source_port = 9877, .destination_port = 5000

/* What is on the wires, each known by a letter. */
static const struct sample {
    char letter;
    struct segment segment;
    const char *wire, *from;
} samples[] = {
    {'S', {.protocol = SEGMENT_TCP, CLIENT, .flags = SEGMENT_SYN}, "w", "client"},
    {'A', {.protocol = SEGMENT_TCP, SERVER, .flags = SEGMENT_SYN | SEGMENT_ACK}, "w", "server"},
    {'D',
     {.protocol = SEGMENT_TCP, CLIENT, .flags = SEGMENT_PSH | SEGMENT_ACK, .payload = 3},
     "w",
     "client"},
    {'F', {.protocol = SEGMENT_TCP, SERVER, .flags = SEGMENT_FIN | SEGMENT_ACK}, "w", "server"},
    {'P', {.protocol = SEGMENT_TCP, .payload = 8}, "w", "client"}, /* a later fragment */
    {'U', {.protocol = SEGMENT_UDP, CLIENT, .payload = 3}, "v", "client"},
    {'I', {.protocol = SEGMENT_ICMP, .payload = 28}, "v", "router"},
    {'J', {.protocol = SEGMENT_ICMPV6}, "v", "router"},
    {'R', {.protocol = SEGMENT_ARP}, "w", "server"},
    {'O', {.protocol = SEGMENT_OTHER, .payload = 1}, "w", "server"},
};
enum { SAMPLES = sizeof samples / sizeof samples[0] };

static const struct {
    struct segment_pattern pattern;
    const char *counted; /* the letters of those that it counts */
    const char *words;
} patterns[] = {
    {{.wire = ""}, "SADFPUIJRO", ""},
    {{.wire = "w"}, "SADFPRO", "on w"},
    {{.wire = "x"}, "", "on x"},
    {{.from = "router"}, "IJ", "from router"},
    {{.wire = "w", .from = "server"}, "AFRO", "from server on w"},
    {{.protocol = SEGMENT_TCP}, "SADFP", "of tcp"},
    {{.protocol = SEGMENT_UDP}, "U", "of udp"},
    {{.protocol = SEGMENT_ICMP}, "I", "of icmp"},
    {{.protocol = SEGMENT_ICMPV6}, "J", "of icmpv6"},
    {{.protocol = SEGMENT_ARP}, "R", "of arp"},
    {{.with = SEGMENT_SYN}, "SA", "with SYN"},
    {{.with = SEGMENT_SYN | SEGMENT_ACK}, "A", "with SYN+ACK"},
    {{.with = SEGMENT_SYN, .without = SEGMENT_ACK}, "S", "with SYN without ACK"},
    {{.without = SEGMENT_SYN | SEGMENT_FIN}, "D", "without FIN+SYN"},
    {{.with = SEGMENT_RST}, "", "with RST"},
    {{.with = SEGMENT_ECE | SEGMENT_CWR | SEGMENT_URG}, "", "with URG+ECE+CWR"},
    {{.source_port = 5000}, "SDU", "from port 5000"},
    {{.destination_port = 9877, .protocol = SEGMENT_TCP}, "SD", "of tcp to port 9877"},
    {{.source_port = 9877, .destination_port = 5000}, "AF", "from port 9877 to port 5000"},
    {{.payload = PAYLOAD_SOME}, "DPUIO", "with data"},
    {{.payload = PAYLOAD_NONE}, "SAFJR", "without data"},
    {{.payload = PAYLOAD_NONE, .with = SEGMENT_ACK, .without = SEGMENT_SYN | SEGMENT_FIN},
     "",
     "with ACK without FIN+SYN without data"},
};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

START_TEST(a_pattern_counts_what_it_says)
{
    char counted[SAMPLES + 1] = "", *end = counted;

    for (size_t i = 0; i < SAMPLES; i++)
        if (segment_fits(&patterns[_i].pattern, &samples[i].segment, samples[i].wire,
                         samples[i].from))
            *end++ = samples[i].letter;
    ck_assert_msg(strcmp(counted, patterns[_i].counted) == 0, "%s\nexpected: %s\ngot:      %s",
                  patterns[_i].words, patterns[_i].counted, counted);
}
END_TEST

START_TEST(a_pattern_reads_as_words)
{
    char text[128];

    segment_pattern_describe(&patterns[_i].pattern, text, sizeof text);
    ck_assert_str_eq(text, patterns[_i].words);
}
END_TEST

START_TEST(words_that_do_not_fit_are_cut)
{
    static const char whole[] = "of tcp with SYN+ACK from port 9877 from server on w";
    const struct segment_pattern pattern = {.protocol = SEGMENT_TCP,
                                            .with = SEGMENT_SYN | SEGMENT_ACK,
                                            .source_port = 9877,
                                            .from = "server",
                                            .wire = "w"};

    for (size_t size = 1; size <= sizeof whole; size++) {
        char *text = malloc(size);

        ck_assert_ptr_nonnull(text);
        segment_pattern_describe(&pattern, text, size);
        ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_int_eq(strncmp(text, whole, size - 1), 0);
        free(text);
    }
}
END_TEST

/* --- names --- */

START_TEST(flags_and_protocols_have_names)
{
    for (unsigned bit = 0; bit < 8; bit++)
        ck_assert_uint_eq(segment_flag_of(flag_names[bit]), 1U << bit);
    for (int i = SEGMENT_TCP; i < SEGMENT_OTHER; i++)
        ck_assert_int_eq((int)segment_protocol_of(protocols[i]), i);
}
END_TEST

START_TEST(other_words_are_no_names)
{
    static const char *const strangers[] = {"", "syn", "SY", "SYNC", "TCP", "any", "other", "ip"};

    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        ck_assert_uint_eq(segment_flag_of(strangers[i]), 0);
        ck_assert_int_eq((int)segment_protocol_of(strangers[i]), SEGMENT_ANY);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *segment = suite_create("segment");
    TCase *reading = tcase_create("reading"), *fitting = tcase_create("patterns"),
          *names = tcase_create("names");

    tcase_add_loop_test(reading, headers_say_what_they_say, 0, PACKETS);
    tcase_add_test(reading, numbers_of_tcp_are_read);
    tcase_add_loop_test(reading, what_is_cut_short_is_read_as_far_as_it_goes, 0, PACKETS);
    tcase_add_test(reading, every_packet_is_read_to_an_end);
    suite_add_tcase(segment, reading);
    tcase_add_loop_test(fitting, a_pattern_counts_what_it_says, 0, PATTERNS);
    tcase_add_loop_test(fitting, a_pattern_reads_as_words, 0, PATTERNS);
    tcase_add_test(fitting, words_that_do_not_fit_are_cut);
    suite_add_tcase(segment, fitting);
    tcase_add_test(names, flags_and_protocols_have_names);
    tcase_add_test(names, other_words_are_no_names);
    suite_add_tcase(segment, names);
    return segment;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());
    int failed;

    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
