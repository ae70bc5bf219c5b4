// Redirections: on the shell's own descriptors, for one command or (exec) for good.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

static bool put(struct sh *sh, struct sh_redirected *saved, int fd, struct sh_io *take_io) {
    if (!saved) {
        sh_fd_set(sh, fd, take_io);
        return true;
    }
    for (size_t i = 0; i < saved->n; i++) {
        if (saved->fds[i] == fd) {
            sh_fd_set(sh, fd, take_io);
            return true;
        }
    }
    if (saved->n == sizeof saved->fds / sizeof saved->fds[0]) {
        sh_say(sh, "too many redirections");
        sh_io_unref(take_io);
        return false;
    }
    saved->fds[saved->n] = fd;
    saved->before[saved->n++] = sh->fds[fd];
    sh->fds[fd] = take_io;
    return true;
}

void sh_redirect_back(struct sh *sh, struct sh_redirected *saved) {
    while (saved->n) {
        saved->n--;
        sh_fd_set(sh, saved->fds[saved->n], saved->before[saved->n]);
    }
}

static char *target_of(struct sh *sh, const struct sh_redir *r) {
    struct sh_fields fields = {0};
    if (!sh_expand_word(sh, r->target, &fields)) {
        return NULL;
    }
    if (fields.n != 1) {
        struct sh_text text = {.arena = &sh->scratch};
        for (const struct sh_part *part = r->target->parts; part; part = part->next) {
            sh_text_add(&text, part->text ? part->text : "", part->len);
        }
        sh_say(sh, "%s: ambiguous redirect", text.data ? text.data : "");
        return NULL;
    }
    return fields.v[0];
}

static struct sh_io *text_io(const char *text, size_t n, bool newline) {
    struct sh_io *io = sh_io_new(SH_IO_TEXT);
    bx_buf_add(&io->buf, text, n);
    if (newline) {
        bx_buf_add_char(&io->buf, '\n');
    }
    return io;
}

static bool duplicate(struct sh *sh, const struct sh_redir *r, int fd, const char *target,
                      struct sh_redirected *saved) {
    char *end;
    long from = strtol(target, &end, 10);
    if (strcmp(target, "-") == 0) {
        return put(sh, saved, fd, NULL);
    }
    bool moves = *end == '-' && !end[1];
    if (end == target || (*end && !moves)) {
        sh_say(sh, "%s: ambiguous redirect", target);
        return false;
    }
    if (from < 0 || from >= SH_FDS || !sh->fds[from]) {
        sh_say(sh, "%s: Bad file descriptor", target);
        return false;
    }
    (void)r;
    return put(sh, saved, fd, sh_io_ref(sh->fds[from])) &&
           (!moves || put(sh, saved, (int)from, NULL));
}

static int free_fd(const struct sh *sh) {
    int fd = 10;
    while (fd < SH_FDS && sh->fds[fd]) {
        fd++;
    }
    return fd;
}

static bool to_file(struct sh *sh, const struct sh_redir *r, int fd, const char *target,
                    struct sh_redirected *saved) {
    enum sh_redir_op op = r->op == SH_ALL || r->op == SH_DUP_OUT ? SH_OUT
                          : r->op == SH_ALL_APPEND               ? SH_APPEND
                                                                 : r->op;
    struct sh_io *io = NULL;
    int error = sh_open(sh, target, op, &io);
    if (error) {
        sh_say(sh, "%s: %s", target, sh_strerror(error));
        return false;
    }
    bool both = op != r->op && r->op != SH_DUP_IN;
    if (both && !put(sh, saved, 2, sh_io_ref(io))) {
        return false;
    }
    return put(sh, saved, fd, io);
}

static bool redirect_one(struct sh *sh, const struct sh_redir *r, struct sh_redirected *saved) {
    bool reads = r->op == SH_IN || r->op == SH_BOTH || r->op == SH_DUP_IN || r->op == SH_HERE ||
                 r->op == SH_HERE_STRING;
    int fd = r->fd >= 0 ? r->fd : reads ? 0 : 1;
    char *text;
    if (r->fd_var) {
        char number[16];
        if (r->op == SH_DUP_OUT && sh_word_constant(r->target) &&
            strcmp(sh_word_constant(r->target), "-") == 0) {
            const char *value = sh_get(sh, r->fd_var);
            fd = value ? atoi(value) : -1;
        } else {
            fd = free_fd(sh);
            snprintf(number, sizeof number, "%d", fd);
            sh_set(sh, r->fd_var, number);
        }
        saved = NULL; // stays open, as in bash
    }
    if (fd < 0 || fd >= SH_FDS) {
        sh_say(sh, "%d: Bad file descriptor", fd);
        return false;
    }
    switch (r->op) {
    case SH_HERE:
        text = sh_expand_quoted(sh, r->body);
        return text && put(sh, saved, fd, text_io(text, strlen(text), false));
    case SH_HERE_STRING:
        text = sh_expand_text(sh, r->target);
        return text && put(sh, saved, fd, text_io(text, strlen(text), true));
    case SH_DUP_IN:
    case SH_DUP_OUT: {
        char *target = target_of(sh, r);
        if (!target) {
            return false;
        }
        size_t digits = strspn(target, "0123456789");
        bool is_number = (digits && (!target[digits] || strcmp(target + digits, "-") == 0)) ||
                         strcmp(target, "-") == 0;
        if (r->op == SH_DUP_OUT && r->fd < 0 && !is_number) {
            return to_file(sh, r, 1, target, saved);
        }
        return duplicate(sh, r, fd, target, saved);
    }
    default: {
        char *target = target_of(sh, r);
        return target && to_file(sh, r, fd, target, saved);
    }
    }
}

bool sh_redirect(struct sh *sh, const struct sh_redir *redirs, struct sh_redirected *saved) {
    for (; redirs; redirs = redirs->next) {
        if (!redirect_one(sh, redirs, saved)) {
            return false;
        }
    }
    return true;
}
