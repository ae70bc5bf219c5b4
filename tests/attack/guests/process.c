/* process DRIVER ...: a guest that starts others (guests/common/process.h), and all that it starts:
 * the command's name says which. The drivers, for the root:
 *
 *     run COMMAND ARG... | COMMAND ...    a pipeline; prints "status N N ..."
 *     limit MS STATUS COMMAND ARG...      waits so long, then kills; prints "status N"
 *     leave COMMAND ARG...                starts it and ends
 *     capture COMMAND ARG...              reads its output by bxp_read
 *     hold-pipe read|write|wait           waits where nothing ever comes
 *     together N COMMAND ARG...           all alive at a time
 *     each N COMMAND ARG...               one after the other
 *     bomb deep|wide|both, strangers, others, wrong
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/process.h"

static char big[1 << 16];

static int32_t start(char **argv, size_t argc, int32_t in, int32_t out) {
    const char *env[] = {"COLOUR=blue", "EMPTY="};
    return bxp_spawn(&(struct bxp_spawn){.argv = (const char *const *)argv,
                                         .argc = argc,
                                         .env = env,
                                         .env_count = 2,
                                         .in = in,
                                         .out = out,
                                         .err = 2});
}

static size_t count(char **argv) {
    size_t n = 0;
    while (argv[n]) {
        n++;
    }
    return n;
}

/* --- what is started */

static bool put(const char *p, size_t n) {
    while (n) {
        ssize_t done = write(1, p, n);
        if (done <= 0) {
            return false;
        }
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static int emit(long kibibytes) {
    memset(big, 'x', sizeof big);
    for (long left = kibibytes * 1024, n; left > 0; left -= n) {
        n = left < (long)sizeof big ? left : (long)sizeof big;
        big[0] = (char)left;
        put(big, (size_t)n);
    }
    return 0;
}

static int pass(void) {
    for (ssize_t n; (n = read(0, big, sizeof big)) > 0;) {
        put(big, (size_t)n);
    }
    return 0;
}

static int total(void) {
    unsigned long long bytes = 0, sum = 0;
    for (ssize_t n; (n = read(0, big, sizeof big)) > 0; bytes += (unsigned long long)n) {
        for (ssize_t i = 0; i < n; i++) {
            sum = sum * 31 + (unsigned char)big[i];
        }
    }
    printf("%llu bytes, sum %llx\n", bytes, sum);
    return 0;
}

static int head(long lines) {
    char line[100];
    for (long i = 0; i < lines && fgets(line, sizeof line, stdin); i++) {
        fputs(line, stdout);
    }
    return 0;
}

static int spin(long rounds) {
    volatile unsigned x = 0;
    for (long i = 0; i < rounds * 1000000; i++) {
        x = x * 31 + 7;
    }
    return 0;
}

/* Says how it went and keeps the memory until its input ends. */
static void *volatile kept;
static int grow(long mebibytes) {
    bool good = true;
    for (long i = 0; i < mebibytes && good; i++) {
        kept = malloc(1 << 20);
        good = kept;
    }
    put(good ? "g" : "n", 1);
    return read(0, big, 1) != 0 || !good;
}

static volatile int sink;
static int deep(int n) {
    volatile char room[512];
    room[0] = (char)n;
    sink = room[0];
    return n ? deep(n - 1) + room[0] : 0;
}

static int bomb(char **argv) {
    bool is_deep = !strcmp(argv[1], "deep"), both = !strcmp(argv[1], "both");
    char *sleeper[] = {"sleep", "60000", NULL}, *self[] = {"bomb", argv[1], NULL};
    for (;;) {
        int32_t pid = is_deep || both ? start(self, 2, -1, -1) : start(sleeper, 2, -1, -1);
        if (is_deep && pid > 0) {
            bxp_wait(pid, -1);
        }
        if (is_deep) {
            return pid < 0;
        }
    }
}

/* --- drivers */

static int run(char **argv) {
    int32_t pids[16], in = 0;
    size_t n = 0;
    while (*argv && n < 16) {
        size_t words = 0;
        while (argv[words] && strcmp(argv[words], "|")) {
            words++;
        }
        bool last = !argv[words];
        int32_t out = last ? 1 : bxp_pipe();
        argv[words] = NULL;
        pids[n++] = start(argv, words, in, out);
        if (in >= 3) {
            bxp_close(in, BXP_READ_END);
        }
        if (out >= 3) {
            bxp_close(out, BXP_WRITE_END);
        }
        in = out;
        argv += words + !last;
    }
    printf("status");
    for (size_t i = 0; i < n; i++) {
        printf(" %d", pids[i] < 0 ? (int)pids[i] : (int)bxp_wait(pids[i], -1));
    }
    puts("");
    return 0;
}

static int limit(char **argv) {
    int32_t pid = start(argv + 2, count(argv + 2), 0, 1), r = bxp_wait(pid, atoi(argv[0]));
    if (r == -ETIMEDOUT) {
        r = bxp_kill(pid, atoi(argv[1]));
        r = r < 0 ? r : bxp_wait(pid, -1);
    }
    printf("status %d\n", (int)r);
    return 0;
}

static int capture(char **argv) {
    int32_t pipe = bxp_pipe(), pid = start(argv, count(argv), 0, pipe);
    unsigned long bytes = 0;
    bxp_close(pipe, BXP_WRITE_END);
    for (int32_t n; (n = bxp_read(pipe, big, sizeof big)) > 0;) {
        bytes += (unsigned long)n;
    }
    printf("got %lu bytes, status %d\n", bytes, (int)bxp_wait(pid, -1));
    return 0;
}

static int hold_pipe(const char *how) {
    int32_t pipe = bxp_pipe();
    char *sleeper[] = {"sleep", "60000", NULL};
    puts("waiting");
    fflush(stdout);
    usleep(60000); /* live output goes in pieces of so much time */
    puts("still waiting");
    fflush(stdout);
    if (!strcmp(how, "read")) {
        return bxp_read(pipe, big, 1);
    }
    if (!strcmp(how, "wait")) {
        return bxp_wait(start(sleeper, 2, 0, 1), -1);
    }
    return bxp_write(pipe, big, sizeof big) == sizeof big && bxp_write(pipe, big, 1) == 1;
}

static int together(char **argv) {
    int32_t in = bxp_pipe(), outs[100], pids[100];
    int n = atoi(argv[0]), counts[128] = {0};
    for (int i = 0; i < n; i++) {
        outs[i] = bxp_pipe();
        pids[i] = start(argv + 1, count(argv + 1), in, outs[i]);
        bxp_close(outs[i], BXP_WRITE_END);
    }
    for (int i = 0; i < n; i++) { /* who could not even be started has nothing to say */
        counts[bxp_read(outs[i], big, 1) == 1 ? big[0] & 127 : 'n']++;
    }
    bxp_close(in, BXP_WRITE_END);
    for (int i = 0; i < n; i++) {
        bxp_wait(pids[i], -1);
    }
    printf("%d grown, %d not\n", counts['g'], counts['n']);
    return 0;
}

static int each(char **argv) {
    for (int i = atoi(argv[0]); i > 0; i--) {
        bxp_wait(start(argv + 1, count(argv + 1), 0, 1), -1);
    }
    return 0;
}

static int strangers(void) { /* what is not the caller's */
    char *sleeper[] = {"sleep", "60000", NULL};
    int32_t pid = start(sleeper, 2, -1, -1), pipe = bxp_pipe();
    printf("%d %d %d %d ", (int)bxp_wait(77, 0), (int)bxp_wait(1, 0), (int)bxp_kill(1, 9),
           (int)bxp_kill(pid, 256));
    printf("%d %d ", (int)bxp_wait(pid, 0), (int)bxp_kill(pid, 9));
    printf("%d %d ", (int)bxp_wait(pid, -1), (int)bxp_wait(pid, -1));
    printf("%d %d ", (int)bxp_close(pipe, BXP_READ_END), (int)bxp_close(pipe, BXP_READ_END));
    printf("%d %d ", (int)bxp_write(pipe, "x", 1), (int)bxp_write(99, "x", 1));
    printf("%d %d\n", (int)bxp_read(1, big, 9), (int)bxp_close(2, BXP_WRITE_END));
    return 0;
}

static int others(void) { /* ends everybody else: those of others, too */
    char *sleeper[] = {"sleep", "60000", NULL},
         *left[] = {"process", "leave", "sleep", "60000", NULL};
    int32_t pid = start(sleeper, 2, -1, -1);
    bxp_wait(start(left, 4, -1, -1), -1);
    int32_t killed = bxp_kill(0, 143);
    printf("%d %d\n", (int)killed, (int)bxp_wait(pid, 0));
    return 0;
}

static int wrong(void) { /* starts that cannot be */
    char *sleeper[] = {"sleep", "10", NULL}, *nobody[] = {"no-such-command", NULL};
    int32_t pipe = bxp_pipe();
    bxp_close(pipe, BXP_READ_END);
    printf("%d %d %d ", (int)start(nobody, 1, 0, 1), (int)start(sleeper, 0, 0, 1),
           (int)start(sleeper, 2, 1, 1));
    printf("%d %d ", (int)start(sleeper, 2, pipe, 1), (int)start(sleeper, 2, 0, 0));
    printf("%d %d ", (int)start(sleeper, 2, 0, 4000), (int)start(sleeper, 2, -7, 1));
    char *long_text = malloc(2 << 20);
    memset(long_text, 'x', (2 << 20) - 1);
    long_text[(2 << 20) - 1] = '\0';
    char *huge[] = {"sleep", long_text, NULL};
    printf("%d\n", (int)start(huge, 2, 0, 1));
    return 0;
}

static int act(const char *name, char **argv) {
    long n = argv[0] && argv[1] ? atol(argv[1]) : 0;
    static const struct {
        const char *name;
        int (*with_number)(long n);
        int (*plain)(void);
        int (*with_words)(char **argv);
    } acts[] = {
        {"emit", emit, NULL, NULL},   {"pass", NULL, pass, NULL},
        {"total", NULL, total, NULL}, {"head", head, NULL, NULL},
        {"spin", spin, NULL, NULL},   {"grow", grow, NULL, NULL},
        {"bomb", NULL, NULL, bomb},   {"strangers", NULL, strangers, NULL},
        {"wrong", NULL, wrong, NULL}, {"others", NULL, others, NULL},
    };
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (!strcmp(name, acts[i].name)) {
            return acts[i].with_number ? acts[i].with_number(n)
                   : acts[i].plain     ? acts[i].plain()
                                       : acts[i].with_words(argv);
        }
    }
    if (!strcmp(name, "yes")) {
        while (put("y\n", 2)) {
        }
    } else if (!strcmp(name, "sleep")) {
        usleep((useconds_t)n * 1000);
        return 0;
    } else if (!strcmp(name, "trap")) {
        __builtin_trap();
    } else if (!strcmp(name, "deep")) {
        sink = deep((int)n);
    } else if (!strcmp(name, "env")) {
        printf("%s %s %s\n", argv[0], getenv("COLOUR"), getenv("EMPTY"));
    } else if (!strcmp(name, "open")) {
        return !fopen(argv[1], "r");
    } else if (strcmp(name, "exit") != 0) {
        return 99;
    }
    return (int)n;
}

static int drive(char **argv) {
    const char *name = argv[0];
    return !strcmp(name, "run")         ? run(argv + 1)
           : !strcmp(name, "limit")     ? limit(argv + 1)
           : !strcmp(name, "capture")   ? capture(argv + 1)
           : !strcmp(name, "hold-pipe") ? hold_pipe(argv[1])
           : !strcmp(name, "together")  ? together(argv + 1)
           : !strcmp(name, "each")      ? each(argv + 1)
           : !strcmp(name, "leave")     ? start(argv + 1, count(argv + 1), 0, 1) < 0
                                        : act(name, argv);
}

int main(int argc, char **argv) {
    bool is_root = argc > 1 && !strcmp(argv[0], "process");
    int status = is_root ? drive(argv + 1) : act(argv[0], argv);
    fflush(stdout);
    bxp_exit(status);
}
