/*
 * listen_exec IP PORT -- PROGRAM ARG...
 *
 * Opens a listening TCP socket, makes it descriptor 3, and runs the program. It is how ./dev gives
 * a member, which lives in the fabric's network namespace, a listener on a port of the host's
 * 127.0.0.1.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD      3
#define LISTEN_BACKLOG 512

int main(int argc, char **argv)
{
    if (argc < 5 || strcmp(argv[3], "--") != 0) {
        fprintf(stderr, "usage: listen_exec IP PORT -- PROGRAM ARG...\n");
        return 2;
    }
    struct sockaddr_in address = { .sin_family = AF_INET };
    long port = strtol(argv[2], NULL, 10);
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1 || port < 1 || port > 65535) {
        fprintf(stderr, "listen_exec: not an address: %s %s\n", argv[1], argv[2]);
        return 2;
    }
    address.sin_port = htons((unsigned short)port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, LISTEN_BACKLOG) != 0) {
        fprintf(stderr, "listen_exec: %s port %ld: ", argv[1], port);
        perror("listen");
        return 1;
    }
    if (fd != LISTEN_FD && (dup2(fd, LISTEN_FD) != LISTEN_FD || close(fd) != 0)) {
        perror("listen_exec: dup2");
        return 1;
    }
    execvp(argv[4], argv + 4);
    perror(argv[4]);
    return 127;
}
