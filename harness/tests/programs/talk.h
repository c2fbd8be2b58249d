#ifndef TALK_H
#define TALK_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server for one client, and that client: five bytes there and back. What fails is told by name,
 * and ends the program with 111. */

static inline _Noreturn void die(const char *call)
{
    fprintf(stderr, "%s: %s\n", call, strerrorname_np(errno));
    exit(111);
}

static inline struct sockaddr_in address_of(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)strtol(port, NULL, 10)),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

static inline int listen_at(const char *port)
{
    const struct sockaddr_in address = address_of(port);
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    if (listener < 0)
        die("socket");
    if (bind(listener, (const struct sockaddr *)&address, sizeof address) < 0)
        die("bind");
    if (listen(listener, 1) < 0)
        die("listen");
    return listener;
}

static inline void serve(int listener)
{
    char text[5];
    const int connection = accept(listener, NULL, NULL);

    if (connection < 0)
        die("accept");
    if (recv(connection, text, sizeof text, MSG_WAITALL) != sizeof text)
        die("recv");
    if (write(connection, text, sizeof text) != sizeof text)
        die("write");
    close(connection);
    close(listener);
}

static inline void ask(const char *port)
{
    const struct sockaddr_in address = address_of(port);
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    char text[5];

    if (connection < 0)
        die("socket");
    if (connect(connection, (const struct sockaddr *)&address, sizeof address) < 0)
        die("connect");
    if (write(connection, "hello", sizeof text) != sizeof text)
        die("write");
    if (recv(connection, text, sizeof text, MSG_WAITALL) != sizeof text)
        die("recv");
    printf("%.5s\n", text);
    fflush(stdout);
    close(connection);
}

#endif
