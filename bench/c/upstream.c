// The upstream of all servers: every name has addresses and nothing else. Names whose last label but one begins with
// "jauh" (far) are answered after DELAY_MS, all others at once.
//
// usage: upstream PORT DELAY_MS
//
// The name "seen.bench" A is answered with the count of queries so far as an address, so that a measurement can say how
// many of a server's queries were really asked upstream.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, SIZE = 512, WAITING = 1 << 16, HEADER = 12, TTL_S = 3600 };

struct reply {
    struct sockaddr_in to;
    int64_t due_ns;
    unsigned size;
    unsigned char bytes[SIZE];
};

static struct reply waiting[WAITING];
static unsigned first, last;  // of those that wait: a ring, in order of time, since all wait equally long
static uint32_t seen;
static int udp;

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static unsigned char *put(unsigned char *at, uint32_t value, int octets) {
    while (octets--) *at++ = (unsigned char)(value >> 8 * octets);
    return at;
}

static unsigned char *record(unsigned char *at, uint32_t owner, uint32_t type, uint32_t size) {
    at = put(put(put(at, owner, 2), type, 2), 1, 2);
    return put(put(at, TTL_S, 4), size, 2);
}

// Turns the query into its reply. The delay is known from the name; 0 as the result: not a query, no reply.
static int answer(struct reply *one, int *is_far) {
    unsigned char *bytes = one->bytes, *end = bytes + one->size, *at = bytes + HEADER;
    unsigned char *zone = at, *before = at;
    if (one->size < HEADER + 5 || bytes[2] & 0x80) return 0;
    while (at < end && *at) {
        if (*at > 63) return 0;
        before = zone;
        zone = at;
        at += 1 + *at;
    }
    if (at + 5 > end || at + 80 > bytes + SIZE) return 0;
    uint32_t type = (uint32_t)(at[1] << 8 | at[2]);
    int has_opt = bytes[11] != 0;
    *is_far = *before >= 4 && !strncasecmp((char *)before + 1, "jauh", 4);
    seen++;
    at += 5;
    bytes[2] = 0x84 | (bytes[2] & 0x79);
    bytes[3] = 0x80;
    put(bytes + 4, 1, 2);
    memset(bytes + 6, 0, 6);
    if (type == 1) {
        int is_count = !memcmp(bytes + HEADER, "\4seen\5bench", 12);
        at = put(record(at, 0xc00c, 1, 4), is_count ? seen : 0xc0000201, 4);
        bytes[7] = 1;
    } else if (type == 28) {
        at = put(put(put(put(record(at, 0xc00c, 28, 16), 0x20010db8, 4), 0, 4), 0, 4), 1, 4);
        bytes[7] = 1;
    } else {
        at = record(at, 0xc000 | (uint32_t)(zone - bytes), 6, 22);
        at = put(put(at, 0, 2), 1, 4);
        for (int i = 0; i < 4; i++) at = put(at, TTL_S, 4);
        bytes[9] = 1;
    }
    if (has_opt) {
        at = put(put(put(put(at, 41, 3), 1232, 2), 0, 4), 0, 2);
        bytes[11] = 1;
    }
    one->size = (unsigned)(at - bytes);
    return 1;
}

static void send_all(struct mmsghdr *messages, int count) {
    for (int sent = 0; sent < count;) {
        int now = sendmmsg(udp, messages + sent, (unsigned)(count - sent), 0);
        sent += now > 0 ? now : 1;
    }
}

static void receive(int64_t delay_ns) {
    static struct reply fresh[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){fresh[i].bytes, SIZE};
        messages[i].msg_hdr = (struct msghdr){&fresh[i].to, sizeof fresh[i].to, &parts[i], 1, 0, 0, 0};
    }
    int got = recvmmsg(udp, messages, BATCH, MSG_DONTWAIT, 0), at_once = 0;
    int64_t due_ns = now_ns() + delay_ns;
    for (int i = 0; i < got; i++) {
        int is_far = 0;
        fresh[i].size = messages[i].msg_len;
        if (!answer(&fresh[i], &is_far)) continue;
        if (is_far) {
            if (last - first == WAITING) continue;  // as a full socket: lost
            fresh[i].due_ns = due_ns;
            waiting[last++ % WAITING] = fresh[i];
        } else {
            parts[at_once] = (struct iovec){fresh[i].bytes, fresh[i].size};
            messages[at_once].msg_hdr = (struct msghdr){&fresh[i].to, sizeof fresh[i].to, &parts[at_once], 1, 0, 0, 0};
            at_once++;
        }
    }
    send_all(messages, at_once);
}

static void release(void) {
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    int count = 0;
    for (int64_t now = now_ns(); count < BATCH && first != last && waiting[first % WAITING].due_ns <= now; count++) {
        struct reply *one = &waiting[first++ % WAITING];
        parts[count] = (struct iovec){one->bytes, one->size};
        messages[count].msg_hdr = (struct msghdr){&one->to, sizeof one->to, &parts[count], 1, 0, 0, 0};
    }
    send_all(messages, count);
}

int main(int argument_count, char **arguments) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int room = 4 << 20;
    if (argument_count != 3) return 2;
    int64_t delay_ns = atoll(arguments[2]) * 1000000;
    at.sin_port = htons((uint16_t)atoi(arguments[1]));
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(udp, (struct sockaddr *)&at, sizeof at)) return 1;
    prctl(PR_SET_TIMERSLACK, 1);
    for (;;) {
        struct pollfd wanted = {udp, POLLIN, 0};
        int64_t left = first == last ? 1000000000 : waiting[first % WAITING].due_ns - now_ns();
        struct timespec until = {left >= 1000000000, left < 0 || left >= 1000000000 ? 0 : left};
        if (ppoll(&wanted, 1, &until, 0) > 0) receive(delay_ns);
        release();
    }
}
