#include "case.h"
#include "sockets.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* TCP_MD5SIG: every segment is signed with a key that both ends know, and what is not is dropped.
 */

/* Tells a socket the key for its peer at loopback; without a key it forgets it. */
static int set_key(const struct kind *kind, int descriptor, const char *key)
{
#ifdef __linux__
    const struct address peer = loopback(kind, 0);
    struct tcp_md5sig signature = {.tcpm_keylen = (uint16_t)strlen(key)};

    memcpy(&signature.tcpm_addr, &peer.any, peer.length);
    memcpy(signature.tcpm_key, key, strlen(key));
    return setsockopt(descriptor, IPPROTO_TCP, TCP_MD5SIG, &signature, sizeof signature);
#else
    (void)kind;
    (void)descriptor;
    (void)key;
    return lacks("TCP_MD5SIG");
#endif
}

/* A listener with a key, and a socket with another or the same, nonblocking. NULL: none. */
struct ends {
    int listener, client;
};

static int keyed_ends(const struct kind *kind, const char *theirs, const char *mine,
                      struct ends *ends)
{
    ends->listener = listening_socket(kind);
    ends->client = new_socket(kind);
    if (ends->listener < 0 || ends->client < 0 || nonblocking(ends->client) < 0 ||
        (theirs != NULL && set_key(kind, ends->listener, theirs) < 0))
        return -1;
    return mine == NULL ? 0 : set_key(kind, ends->client, mine);
}

/* Two that have the same key connect, and talk.
 *
 * RFC 2385 §2.0; tcp(7) TCP_MD5SIG; Linux net/ipv4/tcp_ipv4.c tcp_inbound_md5_hash(). */
CASE(with_one_key_they_connect, EACH(inet_stream), BEHAVIOUR("T10"), ABOUT("TCP_MD5SIG"),
     REQUIRES("CONFIG_TCP_MD5SIG"))
{
    char bytes[8];
    const struct address there = loopback(kind, PORT);
    struct ends ends;

    NEED(keyed_ends(kind, "secret", "secret", &ends));
    FAILS(connect(ends.client, &there.any, there.length), EINPROGRESS);
    EVENTS_ARE(events_now(ends.client, POLLOUT), POLLOUT);
    NEED(send(ends.client, "hello", 5, 0));
    BYTES_ARE(bytes, recv(NEED(accept(ends.listener, NULL, NULL)), bytes, sizeof bytes, 0),
              "hello");
}

static KINDS(wrong_keys, KIND("another_key", .text = "public"), KIND("no_key", .text = NULL));

/* A SYN with another signature, or with none, is dropped without a word: no RST tells the client.
 *
 * RFC 2385 §2.0 (it must not produce any response); Linux net/ipv4/tcp.c tcp_inbound_hash(). */
CASE(with_a_wrong_key_the_syn_is_dropped, EACH(inet_stream, wrong_keys), BEHAVIOUR("T10"),
     ABOUT("TCP_MD5SIG", "SYN"), REQUIRES("CONFIG_TCP_MD5SIG"))
{
    const struct address there = loopback(kind, PORT);
    struct ends ends;

    NEED(keyed_ends(kind, "secret", kind->text, &ends));
    FAILS(connect(ends.client, &there.any, there.length), EINPROGRESS);
    EVENTS_ARE(events_now(ends.client, POLLOUT), 0);
    STATE_IS(tcp_state(ends.client), TCP_SYN_SENT);
}

/* So is a signed SYN where the listener has no key for the client.
 *
 * Linux net/ipv4/tcp.c tcp_inbound_md5_hash() (unexpected). */
CASE(a_signature_that_is_not_expected_is_dropped, EACH(inet_stream), BEHAVIOUR("T10"),
     ABOUT("TCP_MD5SIG", "SYN"), REQUIRES("CONFIG_TCP_MD5SIG"))
{
    const struct address there = loopback(kind, PORT);
    struct ends ends;

    NEED(keyed_ends(kind, NULL, "secret", &ends));
    FAILS(connect(ends.client, &there.any, there.length), EINPROGRESS);
    STATE_IS(tcp_state(ends.client), TCP_SYN_SENT);
}

/* A key of no bytes removes the key.
 *
 * tcp(7) TCP_MD5SIG; Linux net/ipv4/tcp_ipv4.c tcp_v4_parse_md5_keys() (tcp_md5_do_del()). */
CASE(an_empty_key_removes_it, EACH(inet_stream), BEHAVIOUR("T10"), ABOUT("TCP_MD5SIG"),
     REQUIRES("CONFIG_TCP_MD5SIG"))
{
    const struct address there = loopback(kind, PORT);
    struct ends ends;

    NEED(keyed_ends(kind, NULL, "secret", &ends));
    SUCCEEDS(set_key(kind, ends.client, ""));
    FAILS(connect(ends.client, &there.any, there.length), EINPROGRESS);
    EVENTS_ARE(events_now(ends.client, POLLOUT), POLLOUT);
}

/* Where there is no key for that peer there is none to remove: ENOENT.
 *
 * Linux net/ipv4/tcp_ipv4.c tcp_md5_do_del(). */
CASE(a_key_that_is_not_there_cannot_be_removed, EACH(inet_stream), BEHAVIOUR("T10"),
     ABOUT("TCP_MD5SIG", "ENOENT"), REQUIRES("CONFIG_TCP_MD5SIG"))
{
    const int fd = NEED(new_socket(kind));

    FAILS(set_key(kind, fd, ""), ENOENT);
}
