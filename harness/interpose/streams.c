#include "streams.h"

#include "channel.h"
#include "real.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { STREAMS = 64, ROOM = 4096 };

/* A stream that is made over a descriptor. */
static struct made {
    FILE *stream; /* NULL: free */
    int descriptor;
    char room[ROOM];
} list[STREAMS];

#if defined(__APPLE__)

static int stream_read(void *cookie, char *data, int length)
{
    return (int)read(((struct made *)cookie)->descriptor, data, (size_t)length);
}

static int stream_write(void *cookie, const char *data, int length)
{
    return (int)write(((struct made *)cookie)->descriptor, data, (size_t)length);
}

static fpos_t stream_seek(void *cookie, fpos_t offset, int whence)
{
    return lseek(((struct made *)cookie)->descriptor, offset, whence);
}

#else

static ssize_t stream_read(void *cookie, char *data, size_t length)
{
    return read(((struct made *)cookie)->descriptor, data, length);
}

/* 0 for a failure, as fopencookie wants it. */
static ssize_t stream_write(void *cookie, const char *data, size_t length)
{
    const ssize_t written = write(((struct made *)cookie)->descriptor, data, length);

    return written < 0 ? 0 : written;
}

static int stream_seek(void *cookie, off64_t *offset, int whence)
{
    const off64_t place = lseek64(((struct made *)cookie)->descriptor, *offset, whence);

    if (place < 0)
        return -1;
    *offset = place;
    return 0;
}

#endif

static int stream_close(void *cookie)
{
    struct made *made = cookie;

    made->stream = NULL;
    return close(made->descriptor);
}

static FILE *open_stream(struct made *made, const char *mode)
{
#if defined(__APPLE__)
    const bool reads = strchr(mode, 'r') || strchr(mode, '+');
    const bool writes = !strchr(mode, 'r') || strchr(mode, '+');

    return funopen(made, reads ? stream_read : NULL, writes ? stream_write : NULL, stream_seek,
                   stream_close);
#else
    const cookie_io_functions_t functions = {stream_read, stream_write, stream_seek, stream_close};

    return fopencookie(made, mode, functions);
#endif
}

/* As large as the C library would have made it. */
static size_t room_for(int descriptor)
{
    struct stat status;

    if (fstat(descriptor, &status) < 0 || status.st_blksize <= 0 || status.st_blksize > ROOM)
        return ROOM;
    return (size_t)status.st_blksize;
}

/* NULL: there is no room, or no memory. */
static FILE *make_stream(int descriptor, const char *mode)
{
    for (int i = 0; i < STREAMS; i++) {
        struct made *made = &list[i];

        if (made->stream)
            continue;
        made->descriptor = descriptor;
        made->stream = open_stream(made, mode);
        if (made->stream)
            setvbuf(made->stream, made->room, isatty(descriptor) ? _IOLBF : _IOFBF,
                    room_for(descriptor));
        return made->stream;
    }
    return NULL;
}

void streams_begin(void)
{
    FILE *in = make_stream(STDIN_FILENO, "r"), *out = make_stream(STDOUT_FILENO, "w"),
         *errors = make_stream(STDERR_FILENO, "w");

    if (in)
        stdin = in;
    if (out)
        stdout = out;
    if (errors) {
        setvbuf(errors, NULL, _IONBF, 0);
        stderr = errors;
    }
}

INTERPOSE(FILE *, fdopen, (int, const char *))
FILE *interposed_fdopen(int descriptor, const char *mode)
{
    FILE *stream = channel_open() ? make_stream(descriptor, mode) : NULL;

    return stream ? stream : REAL(fdopen)(descriptor, mode);
}

INTERPOSE(int, fileno, (FILE *))
int interposed_fileno(FILE *stream)
{
    for (int i = 0; i < STREAMS; i++) {
        if (list[i].stream == stream)
            return list[i].descriptor;
    }
    return REAL(fileno)(stream);
}
