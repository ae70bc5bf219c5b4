// The state of a shell as text, for a fresh instance that goes on where this one is (BX_STATE): a
// record a line, fields with a space between, whatever is not plain ASCII as %XX, so that it can be
// a variable of the environment.
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

static void field(struct sh_text *out, const char *text) {
    static const char hex[] = "0123456789ABCDEF";
    sh_text_char(out, ' ');
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c <= ' ' || *c == '%' || *c == '"' || *c == '\\' || *c >= 0x7f) {
            char three[3] = {'%', hex[*c >> 4], hex[*c & 15]};
            sh_text_add(out, three, 3);
        } else {
            sh_text_char(out, (char)*c);
        }
    }
}

static void number(struct sh_text *out, long long n) {
    char text[32];
    snprintf(text, sizeof text, "%lld", n);
    field(out, text);
}

static void record(struct sh_text *out, char kind) {
    if (out->len) {
        sh_text_char(out, '\n');
    }
    sh_text_char(out, kind);
}

static void write_var(struct sh_text *out, const struct sh_var *var) {
    bool is_array = var->flags & (SH_INDEXED | SH_ASSOC);
    if (!is_array && var->flags == (SH_EXPORT | SH_IS_SET)) {
        return; // it is in the environment
    }
    record(out, 'v');
    number(out, var->flags);
    field(out, var->name);
    if (!is_array && var->value) {
        field(out, var->value);
    }
    for (size_t i = 0; i < var->n; i++) {
        record(out, var->items[i].key ? 'k' : 'e');
        if (var->items[i].key) {
            field(out, var->items[i].key);
        } else {
            number(out, var->items[i].index);
        }
        field(out, var->items[i].value);
    }
}

static void write_fds(struct sh *sh, struct sh_text *out) {
    for (int fd = 0; fd < SH_FDS; fd++) {
        struct sh_io *io = sh->fds[fd];
        for (int same = 0; fd > 2 && io && same <= 2; same++) {
            if (sh->fds[same] == io) {
                record(out, 'D');
                number(out, fd);
                number(out, same);
                io = NULL;
            }
        }
        if (fd > 2 && io && io->kind == SH_IO_FILE) {
            record(out, 'F');
            number(out, fd);
            number(out, !io->is_writer ? SH_IN : io->at < 0 ? SH_APPEND : SH_BOTH);
            number(out, io->at - (long long)(io->buf.len - io->buf_at));
            field(out, io->path);
        }
        if (fd <= 2 && !sh->fds[fd]) {
            record(out, 'C');
            number(out, fd);
        }
    }
}

char *sh_state_text(struct sh *sh, bool owns_stdin) {
    struct sh_text out = {.arena = &sh->scratch};
    size_t n;
    record(&out, 'n');
    field(&out, sh->name);
    field(&out, sh->arg0);
    record(&out, 'o');
    number(&out, sh->options);
    number(&out, sh->shopts);
    record(&out, 's');
    number(&out, sh->status);
    number(&out, sh->pid);
    number(&out, sh->line);
    number(&out, sh->subshell_depth + 1);
    number(&out, sh->umask);
    number(&out, sh->function_depth);
    number(&out, sh->last_background);
    number(&out, sh->quiet);
    for (size_t i = 0; i < sh->n_args; i++) {
        record(&out, 'a');
        field(&out, sh->args[i]);
    }
    const char **names = sh_names(sh, sh->vars, &n);
    for (size_t i = 0; i < n; i++) {
        write_var(&out, sh_var_get_raw(sh, names[i]));
    }
    names = sh_names(sh, sh->functions, &n);
    for (size_t i = 0; i < n; i++) {
        struct sh_text text = {.arena = &sh->scratch};
        sh_node_text(sh_function_get(sh, names[i])->node, &text);
        record(&out, 'f');
        field(&out, text.data);
    }
    write_fds(sh, &out);
    if (sh->function_name) {
        record(&out, 'c');
        field(&out, sh->function_name);
    }
    if (owns_stdin) {
        record(&out, 'i');
    }
    return out.data;
}

// --- reading

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static char *next_field(struct sh *sh, const char **at) {
    struct sh_text text = {.arena = &sh->scratch};
    *at += **at == ' ';
    for (; **at && **at != ' ' && **at != '\n'; ++*at) {
        int high = **at == '%' ? hex((*at)[1]) : -1, low = high >= 0 ? hex((*at)[2]) : -1;
        sh_text_char(&text, low >= 0 ? (char)(high * 16 + low) : **at);
        *at += low >= 0 ? 2 : 0;
    }
    return text.data ? text.data : sh_arena_copy(&sh->scratch, "", 0);
}

static long long next_number(struct sh *sh, const char **at) {
    return atoll(next_field(sh, at));
}

static void read_numbers(struct sh *sh, const char *at) {
    sh->status = (int)next_number(sh, &at);
    sh->pid = (int)next_number(sh, &at);
    sh->line = (int)next_number(sh, &at);
    sh->subshell_depth = (int)next_number(sh, &at);
    sh->umask = (int)next_number(sh, &at);
    sh->function_depth = (int)next_number(sh, &at);
    sh->last_background = (int32_t)next_number(sh, &at);
    sh->quiet = (int)next_number(sh, &at);
}

static char *copy(const char *text) {
    return bx_strndup(text, strlen(text));
}

static void read_fd(struct sh *sh, const char *at) {
    int fd = (int)next_number(sh, &at);
    enum sh_redir_op op = (enum sh_redir_op)next_number(sh, &at);
    long long place = next_number(sh, &at);
    struct sh_io *io = NULL;
    if (fd >= 0 && fd < SH_FDS && sh_open(sh, next_field(sh, &at), op, &io) == 0) {
        io->at = op == SH_APPEND ? -1 : place;
        sh_fd_set(sh, fd, io);
    }
}

static struct sh_var *read_record(struct sh *sh, char kind, const char *at, struct sh_var *var,
                                  unsigned *flags) {
    char *name;
    switch (kind) {
    case 'n':
        sh->name = copy(next_field(sh, &at));
        sh->arg0 = copy(next_field(sh, &at));
        break;
    case 'o':
        sh->options = (unsigned)next_number(sh, &at);
        sh->shopts = (unsigned)next_number(sh, &at);
        break;
    case 's':
        read_numbers(sh, at);
        break;
    case 'a':
        sh->args = bx_realloc(sh->args, (sh->n_args + 2) * sizeof *sh->args);
        sh->args[sh->n_args++] = copy(next_field(sh, &at));
        sh->args[sh->n_args] = NULL;
        break;
    case 'v':
        *flags = (unsigned)next_number(sh, &at);
        name = next_field(sh, &at);
        var = sh_var_make_raw(sh, name);
        sh_clear_array(var, 0);
        var->flags = *flags & ~(unsigned)(SH_READONLY | SH_INTEGER | SH_TO_LOWER | SH_TO_UPPER);
        if (*at == ' ') {
            var->value = copy(next_field(sh, &at));
        }
        if (!(*flags & (SH_INDEXED | SH_ASSOC))) {
            var->flags = *flags;
        }
        break;
    case 'e':
    case 'k':
        name = next_field(sh, &at);
        if (var && kind == 'e') {
            sh_set_index(sh, var, atoll(name), next_field(sh, &at), false);
        } else if (var) {
            sh_set_key(sh, var, name, next_field(sh, &at), false);
        }
        break;
    case 'f':
        name = next_field(sh, &at);
        sh_run_text(sh, name, strlen(name), 1);
        break;
    case 'F':
        read_fd(sh, at);
        break;
    case 'D': {
        int fd = (int)next_number(sh, &at), same = (int)next_number(sh, &at);
        if (fd > 2 && fd < SH_FDS && same >= 0 && same <= 2) {
            sh_fd_set(sh, fd, sh_io_ref(sh->fds[same]));
        }
        break;
    }
    case 'C':
        sh_fd_set(sh, (int)next_number(sh, &at) % 3, NULL);
        break;
    case 'c':
        sh->function_name = copy(next_field(sh, &at));
        break;
    case 'i':
        if (sh->fds[0]) {
            sh->fds[0]->reads_ahead = true;
        }
        break;
    default:
        break;
    }
    return var;
}

bool sh_state_read(struct sh *sh, const char *text) {
    struct sh_var *var = NULL;
    unsigned flags = 0, options = 0;
    while (*text) {
        char kind = *text++;
        if (var && kind != 'e' && kind != 'k') {
            var->flags = flags; // read-only from now on
            var = NULL;
        }
        var = read_record(sh, kind, text, var, &flags);
        if (kind == 'o') { // what functions are read with must not stop them
            options = sh->options;
            sh->options = 0;
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    if (var) {
        var->flags = flags;
    }
    sh->options = options;
    return true;
}

// --- for the host

void sh_state_exports(struct sh *sh, struct bx_buf *out) {
    size_t n;
    const char **names = sh_names(sh, sh->vars, &n);
    struct sh_text text = {.arena = &sh->scratch};
    for (size_t i = 0; i < n; i++) {
        const struct sh_var *var = sh_var_get_raw(sh, names[i]);
        if (var->flags & SH_EXPORT && var->value && !(var->flags & (SH_INDEXED | SH_ASSOC)) &&
            strcmp(names[i], "PWD") != 0 && strcmp(names[i], "_") != 0 &&
            strcmp(names[i], "SHLVL") != 0) {
            field(&text, names[i]);
            sh_text_char(&text, '=');
            struct sh_text value = {.arena = &sh->scratch};
            field(&value, var->value);
            sh_text_add(&text, value.data + 1, value.len - 1);
        }
    }
    bx_buf_add(out, text.data ? text.data + 1 : "", text.len ? text.len - 1 : 0);
}
