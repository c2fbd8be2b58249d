#include "case.h"
#include "sockets.h"
#include "unfit.h"

#include <stdlib.h>
#include <unistd.h>

/* sendfile(): what it refuses. EPIPE is in check_sigpipe.c. */

/* A file of some bytes without a name, open for that. */
static int some_file(int flags)
{
    char path[] = "/tmp/sockspec.XXXXXX";
    const int written = NEED(mkstemp(path));
    const int file = open(path, flags | O_CLOEXEC);

    NEED(unlink(path));
    NEED(write(written, "some bytes", 10));
    NEED(close(written));
    return NEED(file);
}

/* It says EBADF when what is to be sent is no open descriptor.
 *
 * sendfile(2) [EBADF]; Linux fs/read_write.c do_sendfile(). */
CASE(sending_from_no_descriptor_is_ebadf, EACH(stream, bad_descriptors), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EBADF"))
{
    struct pair pair;

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, bad_descriptor(kind), NULL, 1), EBADF);
}

/* And when where it is to go is none.
 *
 * sendfile(2) [EBADF]; Linux fs/read_write.c do_sendfile(). */
CASE(sending_to_no_descriptor_is_ebadf, EACH(bad_descriptors), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EBADF"))
{
    const int file = some_file(O_RDONLY);

    FAILS(sendfile(bad_descriptor(kind), file, NULL, 1), EBADF);
}

/* So it says of a file that is not open for reading.
 *
 * sendfile(2) [EBADF]; Linux fs/read_write.c do_sendfile() (FMODE_READ). */
CASE(sending_what_cannot_be_read_is_ebadf, EACH(stream), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EBADF"))
{
    struct pair pair;
    const int file = some_file(O_WRONLY);

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, file, NULL, 1), EBADF);
}

/* And of one that is not open for writing.
 *
 * sendfile(2) [EBADF]; Linux fs/read_write.c do_sendfile() (FMODE_WRITE). */
CASE(sending_to_what_cannot_be_written_is_ebadf, BEHAVIOUR("V17"), ABOUT("sendfile", "EBADF"))
{
    const int from = some_file(O_RDONLY), to = some_file(O_RDONLY);

    FAILS(sendfile(to, from, NULL, 1), EBADF);
}

/* A file that is open for appending takes none: EINVAL.
 *
 * sendfile(2) [EINVAL]; Linux fs/splice.c do_splice_direct() (O_APPEND). */
CASE(sending_to_the_end_of_a_file_is_refused, BEHAVIOUR("V17"),
     ABOUT("sendfile", "EINVAL", "O_APPEND"))
{
    const int from = some_file(O_RDONLY), to = some_file(O_WRONLY | O_APPEND);

    FAILS(sendfile(to, from, NULL, 1), EINVAL);
}

/* A socket has no pages to send from: EINVAL.
 *
 * sendfile(2) [EINVAL] (mmap(2)-like operations); Linux fs/splice.c splice_file_to_pipe(). */
CASE(sending_from_a_datagram_socket_is_refused, EACH(inet_datagram), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EINVAL"))
{
    struct pair pair;
    const int to = some_file(O_WRONLY);

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(to, pair.mine, NULL, 1), EINVAL);
}

/* An offset that cannot be read is EFAULT.
 *
 * sendfile(2) [EFAULT]; Linux fs/read_write.c sendfile64(). */
CASE(sending_from_an_unreadable_offset_is_efault, EACH(stream), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EFAULT"))
{
    off_t *const offset = unreadable();
    struct pair pair;
    const int file = some_file(O_RDONLY);

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, file, offset, 1), EFAULT);
}

/* So is one that cannot be written to, and the bytes have been sent.
 *
 * sendfile(2) [EFAULT]; Linux fs/read_write.c sendfile64() (put_user() comes last). */
CASE(an_unwritable_offset_is_efault_too_late, EACH(stream), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EFAULT"))
{
    char text[16];
    off_t *const offset = unwritable();
    struct pair pair;
    const int file = some_file(O_RDONLY);

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, file, offset, 4), EFAULT);
    BYTES_ARE(text, recv(pair.peer, text, sizeof text, MSG_DONTWAIT), "some");
}

/* An offset below 0 is EINVAL.
 *
 * sendfile(2) [EINVAL]; Linux fs/read_write.c rw_verify_area(). */
CASE(sending_from_a_negative_offset_is_refused, EACH(stream), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EINVAL"))
{
    off_t offset = -1;
    struct pair pair;
    const int file = some_file(O_RDONLY);

    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, file, &offset, 1), EINVAL);
}

/* What cannot be sought takes no offset: ESPIPE.
 *
 * sendfile(2) [ESPIPE]; Linux fs/read_write.c do_sendfile() (FMODE_PREAD). */
CASE(sending_a_pipe_from_an_offset_is_espipe, EACH(stream), BEHAVIOUR("V17"),
     ABOUT("sendfile", "ESPIPE"))
{
    int ends[2];
    off_t offset = 0;
    struct pair pair;

    NEED(pipe(ends));
    NEED(connected_pair(kind, &pair));
    FAILS(sendfile(pair.mine, ends[0], &offset, 1), ESPIPE);
}

/* A socket without room, with O_NONBLOCK, is EAGAIN.
 *
 * sendfile(2) [EAGAIN]; Linux fs/splice.c direct_splice_actor(). */
CASE(sending_a_file_without_room_is_eagain, EACH(stream), BEHAVIOUR("V17", "R1"),
     ABOUT("sendfile", "EAGAIN", "O_NONBLOCK"))
{
    struct pair pair;
    const int file = some_file(O_RDONLY);

    NEED(connected_pair(kind, &pair));
    NEED(fill(pair.mine));
    FAILS(sendfile(pair.mine, file, NULL, 1), EAGAIN);
}

/* A UDP socket without a peer has nowhere to send it: EDESTADDRREQ.
 *
 * Linux net/ipv4/udp.c udp_sendmsg(); sendfile(2) leaves it to the socket. */
CASE(sending_a_file_to_nobody_is_edestaddrreq, EACH(inet_datagram), BEHAVIOUR("V17"),
     ABOUT("sendfile", "EDESTADDRREQ", "UDP"))
{
    const int file = some_file(O_RDONLY), fd = NEED(new_socket(kind));

    FAILS(sendfile(fd, file, NULL, 1), EDESTADDRREQ);
}

/* At the end of the file it gives 0.
 *
 * sendfile(2) (the number of bytes); Linux fs/splice.c splice_direct_to_actor(). */
CASE(sending_from_the_end_gives_0, EACH(stream), BEHAVIOUR("V17"), ABOUT("sendfile"))
{
    struct pair pair;
    const int file = some_file(O_RDONLY);

    NEED(connected_pair(kind, &pair));
    NEED((int)lseek(file, 0, SEEK_END));
    GIVES(sendfile(pair.mine, file, NULL, 1), 0);
}
