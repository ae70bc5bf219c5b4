// wait, jobs, kill, timeout, and commands that only run another one.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"
#include "common/process.h"

static const struct {
    const char *name;
    int number;
} signals[] = {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},  {"ILL", 4},   {"TRAP", 5},  {"ABRT", 6},
               {"BUS", 7},   {"FPE", 8},   {"KILL", 9},  {"USR1", 10}, {"SEGV", 11}, {"USR2", 12},
               {"PIPE", 13}, {"ALRM", 14}, {"TERM", 15}, {"CHLD", 17}, {"CONT", 18}, {"STOP", 19},
               {"TSTP", 20}, {"TTIN", 21}, {"TTOU", 22}, {"WINCH", 28}};

int sh_signal_number(const char *name) {
    char *end;
    long number = strtol(name, &end, 10);
    if (end != name && !*end) {
        return number >= 0 && number < 65 ? (int)number : -1;
    }
    name += strncasecmp(name, "SIG", 3) == 0 ? 3 : 0;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strcasecmp(signals[i].name, name) == 0) {
            return signals[i].number;
        }
    }
    return -1;
}

void sh_signal_list(struct bx_buf *out) {
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        bx_buf_add_fmt(out, "%2d) SIG%s%s", signals[i].number, signals[i].name,
                       i % 5 == 4 ? "\n" : "\t");
    }
    bx_buf_add_char(out, '\n');
}

static struct sh_job *find_job(struct sh *sh, const char *text) {
    long long number;
    if (text[0] == '%') {
        if (strcmp(text, "%%") == 0 || strcmp(text, "%+") == 0 || !text[1]) {
            return sh->n_jobs ? &sh->jobs[sh->n_jobs - 1] : NULL;
        }
        return sh_parse_int(text + 1, &number) && number > 0 && (size_t)number <= sh->n_jobs
                   ? &sh->jobs[number - 1]
                   : NULL;
    }
    if (!sh_parse_int(text, &number)) {
        return NULL;
    }
    for (size_t i = sh->n_jobs; i--;) {
        if (sh->jobs[i].id == number) {
            return &sh->jobs[i];
        }
    }
    return NULL;
}

// Has it ended? Notes how.
static bool has_ended(struct sh *sh, struct sh_job *job, long long patience_ms) {
    (void)sh;
    for (size_t i = 0; i < job->n; i++) {
        if (job->is_waited[i]) {
            continue;
        }
        int32_t status = bxp_wait(job->pids[i], patience_ms);
        if (status == -ETIMEDOUT) {
            return false;
        }
        job->statuses[i] = status < 0 ? 127 : status;
        job->is_waited[i] = true;
    }
    if (job->n) {
        job->status = job->statuses[job->n - 1];
    }
    job->is_done = true;
    return true;
}

static int wait_any(struct sh *sh) {
    for (;;) {
        bool any = false;
        for (size_t i = 0; i < sh->n_jobs; i++) {
            struct sh_job *job = &sh->jobs[i];
            if (!job->is_done) {
                any = true;
                if (has_ended(sh, job, 2)) {
                    return job->status;
                }
            }
        }
        if (!any) {
            return 127;
        }
    }
}

int sh_bi_wait(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    int status = 0;
    size_t i = 1;
    bool any = false;
    (void)out;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        any |= strchr(argv[i], 'n') != NULL;
    }
    if (any) {
        return wait_any(sh);
    }
    if (i >= argc) {
        for (size_t k = 0; k < sh->n_jobs; k++) {
            sh_job_wait(sh, &sh->jobs[k]);
        }
        return 0;
    }
    for (; i < argc; i++) {
        struct sh_job *job = find_job(sh, argv[i]);
        if (!job) {
            sh_say(sh,
                   argv[i][0] == '%' ? "wait: %s: no such job"
                                     : "wait: pid %s is not a child of this shell",
                   argv[i]);
            status = 127;
        } else {
            status = sh_job_wait(sh, job);
        }
    }
    return status;
}

int sh_bi_jobs(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    bool pids = argc > 1 && strcmp(argv[1], "-p") == 0;
    for (size_t i = 0; i < sh->n_jobs; i++) {
        struct sh_job *job = &sh->jobs[i];
        bool was_done = job->is_done;
        bool done = job->is_done || has_ended(sh, job, 0);
        if (was_done) {
            continue;
        }
        if (pids) {
            bx_buf_add_fmt(out, "%d\n", (int)job->id);
        } else {
            bx_buf_add_fmt(out, "[%zu]%c  %-23s %s%s\n", i + 1,
                           i + 1 == sh->n_jobs   ? '+'
                           : i + 2 == sh->n_jobs ? '-'
                                                 : ' ',
                           !done         ? "Running"
                           : job->status ? "Exit"
                                         : "Done",
                           job->text, done ? "" : " &");
        }
    }
    return 0;
}

int sh_bi_kill(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    int number = 15, status = 0;
    size_t i = 1;
    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        sh_signal_list(out);
        return 0;
    }
    if (i + 1 < argc && (strcmp(argv[i], "-s") == 0 || strcmp(argv[i], "-n") == 0)) {
        number = sh_signal_number(argv[i + 1]);
        i += 2;
    } else if (i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--") != 0) {
        number = sh_signal_number(argv[i] + 1);
        i++;
    }
    i += i < argc && strcmp(argv[i], "--") == 0;
    if (number < 0) {
        sh_say(sh, "kill: %s: invalid signal specification", argv[i - 1]);
        return 1;
    }
    if (i >= argc) {
        sh_say(sh, "kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or "
                   "kill -l [sigspec]");
        return 2;
    }
    for (; i < argc; i++) {
        struct sh_job *job = find_job(sh, argv[i]);
        if (!job && atoi(argv[i]) == sh->pid) {
            if (number) {
                sh->flow = SH_EXIT;
                return 128 + number;
            }
        } else if (!job || job->is_done || has_ended(sh, job, 0)) {
            sh_say(sh, argv[i][0] == '%' ? "kill: %s: no such job" : "kill: (%s) - No such process",
                   argv[i]);
            status = 1;
        } else if (number && number != 18 && number != 19 && number != 28) {
            for (size_t k = 0; k < job->n; k++) {
                bxp_kill(job->pids[k], 128 + number);
            }
        }
    }
    return status;
}

// --- timeout, nohup, nice, stdbuf

static bool parse_duration(const char *text, long long *ret_ms) {
    char *end;
    double n = strtod(text, &end);
    double unit = *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 1;
    if (end == text || (*end && (!strchr("smhd", *end) || end[1])) || n < 0 || n > 1e9) {
        return false;
    }
    *ret_ms = (long long)(n * unit * 1000);
    return true;
}

static int run_in_time(struct sh *sh, char **argv, size_t argc, long long ms, int number,
                       bool keeps_status) {
    if (sh_function_get(sh, argv[0]) ||
        sh_builtin_find(argv[0])) { // as in bash, it has to be a program; echo and test are
        struct sh_fields words = {.v = argv, .n = argc};
        sh_run_words(sh, &words, true);
        return sh->status;
    }
    int32_t pid = sh_start_program(sh, argv, argc);
    if (pid < 0) {
        return -1000 - pid;
    }
    int32_t status = bxp_wait(pid, ms ? ms : -1);
    if (status == -ETIMEDOUT) {
        bxp_kill(pid, 128 + number);
        status = bxp_wait(pid, -1);
        status = keeps_status ? status : number == 9 ? 137 : 124;
    }
    sh_drain(sh);
    return status < 0 ? 127 : status;
}

int sh_bi_timeout(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    size_t i = 1;
    int number = 15;
    bool keeps_status = false;
    long long ms;
    (void)out;
    for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
        if (strcmp(argv[i], "-s") == 0 || strcmp(argv[i], "-k") == 0) {
            number = argv[i][1] == 's' && i + 1 < argc ? sh_signal_number(argv[i + 1]) : number;
            i++;
        } else if (strncmp(argv[i], "--signal=", 9) == 0 || strncmp(argv[i], "-s", 2) == 0) {
            number = sh_signal_number(argv[i] + (argv[i][1] == '-' ? 9 : 2));
        } else if (strcmp(argv[i], "--preserve-status") == 0) {
            keeps_status = true;
        }
    }
    if (number < 0 || i + 1 >= argc || !parse_duration(argv[i], &ms)) {
        sh_complain(
            sh, i + 1 >= argc ? "timeout: missing operand" : "timeout: invalid time interval ‘%s’",
            i < argc ? argv[i] : "");
        return 125;
    }
    bool is_captured = sh->fds[1] && sh->fds[1]->kind == SH_IO_CAPTURE;
    if (is_captured &&
        !sh_builtin_find(
            argv[i + 1])) { // nobody would empty the pipe: an instance of its own waits
        struct bx_buf text = {0};
        for (size_t k = 0; k < argc; k++) {
            sh_quote(&text, argv[k]);
            bx_buf_add_char(&text, ' ');
        }
        int32_t pid = sh_spawn_text(sh, text.data, false);
        bx_buf_deinit(&text);
        sh_drain(sh);
        return pid < 0 ? 254 : sh_wait(sh, pid);
    }
    return run_in_time(sh, argv + i + 1, argc - i - 1, ms, number, keeps_status);
}

int sh_bi_prefix(struct sh *sh, char **argv, size_t argc, struct bx_buf *out) {
    size_t i = 1;
    (void)out;
    while (i < argc && argv[i][0] == '-') {
        bool takes = strcmp(argv[i], "-n") == 0 || strcmp(argv[i], "-o") == 0 ||
                     strcmp(argv[i], "-e") == 0 || strcmp(argv[i], "-i") == 0 ||
                     strcmp(argv[i], "-c") == 0;
        i += takes ? 2 : 1;
    }
    if (i >= argc) {
        sh_complain(sh, "%s: missing operand", argv[0]);
        return 125;
    }
    struct sh_fields words = {.v = argv + i, .n = argc - i};
    sh_run_words(sh, &words, true);
    return sh->status;
}
