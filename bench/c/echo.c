// The floor: takes datagrams in batches, sets the response bit and sends them back. It does everything that any UDP
// server must do and nothing that a resolver does. DESIGN 9 measures ours against it.
//
// usage: echo PORT
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { BATCH = 64, SIZE = 1232 };

int main(int count, char **arguments) {
    static unsigned char bytes[BATCH][SIZE];
    static struct sockaddr_in from[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (count != 2) return 2;
    at.sin_port = htons((unsigned short)atoi(arguments[1]));
    int udp = socket(AF_INET, SOCK_DGRAM, 0), room = 4 << 20;
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(udp, (struct sockaddr *)&at, sizeof at)) return 1;
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){bytes[i], SIZE};
            messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &parts[i], 1, 0, 0, 0};
        }
        int got = recvmmsg(udp, messages, BATCH, MSG_WAITFORONE, 0);
        if (got <= 0) continue;
        for (int i = 0; i < got; i++) {
            parts[i].iov_len = messages[i].msg_len;
            if (messages[i].msg_len > 2) bytes[i][2] |= 0x80;
        }
        for (int sent = 0; sent < got;) {
            int now = sendmmsg(udp, messages + sent, got - sent, 0);
            sent += now > 0 ? now : 1;
        }
    }
}
