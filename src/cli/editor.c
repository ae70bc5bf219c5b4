#include "cli/editor.h"

#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <sys/stat.h>
#include <wchar.h>

#include "base/utf8.h"
#include "base/vec.h"

#define HISTORY_LINES 1000
#define SHOWN_MAX     40 /* of what a word may become */

struct bx_editor {
    EditLine *el;
    History *history;
    char *history_path;
    const char *prompt;
    int interrupt_fd;
    bool interrupted;
    bx_complete_fn *complete;
    void *user;
};

static struct bx_editor *editor_of(EditLine *el) {
    void *e = NULL;
    el_get(el, EL_CLIENTDATA, &e);
    return e;
}

static char *prompt_of(EditLine *el) {
    return (char *)(uintptr_t)editor_of(el)->prompt;
}

/* ---- reading: libedit's own read would swallow the first Ctrl-C ---- */

static bool read_byte(struct bx_editor *e, char *ret) {
    for (;;) {
        struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = e->interrupt_fd, .events = POLLIN}};
        if (poll(p, 2, -1) < 0)
            continue; /* a signal: its bell rings */
        if (p[1].revents) {
            e->interrupted = true;
            return false;
        }
        ssize_t n = read(STDIN_FILENO, ret, 1);
        if (n == 1)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

static int read_char(EditLine *el, wchar_t *ret) {
    struct bx_editor *e = editor_of(el);
    mbstate_t state = {0};
    char c;
    for (;;) {
        if (!read_byte(e, &c))
            return e->interrupted ? -1 : 0;
        size_t n = mbrtowc(ret, &c, 1, &state);
        if (n == (size_t)-2)
            continue;
        if (n == (size_t)-1)
            *ret = L'?'; /* no UTF-8 */
        return 1;
    }
}

/* ---- completion ---- */

struct candidates {
    BX_VEC(char *) texts;
};

static void add_candidate(void *to, struct bx_str text) {
    struct candidates *c = to;
    bx_vec_push(&c->texts, bx_str_dup(text));
}

static size_t common_prefix(const struct candidates *c) {
    size_t n = strlen(c->texts.p[0]);
    for (size_t i = 1; i < c->texts.n; i++) {
        size_t k = 0;
        while (k < n && c->texts.p[i][k] == c->texts.p[0][k])
            k++;
        n = k;
    }
    return bx_utf8_cut(bx_str(c->texts.p[0]), n);
}

static void show_candidates(const struct candidates *c) {
    fputc('\n', stderr);
    for (size_t i = 0; i < BX_MIN(c->texts.n, (size_t)SHOWN_MAX); i++)
        fprintf(stderr, "%s\n", c->texts.p[i]);
    if (c->texts.n > SHOWN_MAX)
        fprintf(stderr, "… and %zu more\n", c->texts.n - SHOWN_MAX);
}

static int characters(struct bx_str s) {
    int n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static unsigned char complete(EditLine *el, int key) {
    (void)key;
    struct bx_editor *e = editor_of(el);
    const LineInfo *info = el_line(el);
    struct bx_str line = bx_str_n(info->buffer, (size_t)(info->cursor - info->buffer));
    size_t start = line.n;
    while (start && line.p[start - 1] != ' ')
        start--;
    struct bx_str word = bx_str_slice(line, start, line.n);
    struct candidates c = {0};
    e->complete(e->user, line, word, add_candidate, &c);
    unsigned char what = CC_ERROR;
    if (c.texts.n) {
        size_t n = common_prefix(&c);
        bool whole = c.texts.n == 1;
        bx_auto(bx_freep) char *text =
            bx_asprintf("%.*s%s", (int)n, c.texts.p[0], whole ? " " : "");
        if (n > word.n || whole) { /* what is typed is replaced: its case may differ */
            el_deletestr(el, characters(word));
            el_insertstr(el, text);
            what = CC_REFRESH;
        } else {
            show_candidates(&c);
            what = CC_REDISPLAY;
        }
    }
    for (size_t i = 0; i < c.texts.n; i++)
        bx_free(c.texts.p[i]);
    bx_vec_free(&c.texts);
    return what;
}

/* ---- begin and end ---- */

static void load_history(struct bx_editor *e, const char *path) {
    HistEvent event;
    history(e->history, &event, H_SETSIZE, HISTORY_LINES);
    history(e->history, &event, H_SETUNIQUE, 1);
    if (!path)
        return;
    e->history_path = bx_strdup(path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                  0600); /* libedit would make it for all to read */
    if (fd >= 0)
        close(fd);
    history(e->history, &event, H_LOAD, path);
}

struct bx_editor *bx_editor_new(const char *history_path, int interrupt_fd, bx_complete_fn *fn,
                                void *user) {
    const char *term = getenv("TERM");
    if (!term || !*term || strcmp(term, "dumb") == 0)
        return NULL;
    /* Of this process only, and only what a character is: libedit counts columns with it. */
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "");
    struct bx_editor *e = bx_new(struct bx_editor);
    *e = (struct bx_editor){
        .interrupt_fd = interrupt_fd, .complete = fn, .user = user, .prompt = ""};
    e->el = el_init("boxagnts", stdin, stderr, stderr);
    if (!e->el) {
        bx_free(e);
        return NULL;
    }
    e->history = history_init();
    load_history(e, history_path);
    el_set(e->el, EL_CLIENTDATA, e);
    el_set(e->el, EL_PROMPT, prompt_of);
    el_set(e->el, EL_EDITOR, "emacs");
    el_set(e->el, EL_HIST, history, e->history);
    el_set(e->el, EL_GETCFN, read_char);
    el_set(e->el, EL_ADDFN, "bx-complete", "Completes a command or a file", complete);
    el_set(e->el, EL_BIND, "^I", "bx-complete", NULL);
    el_set(e->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    return e;
}

void bx_editor_free(struct bx_editor *e) {
    HistEvent event;
    if (!e)
        return;
    if (e->history_path)
        history(e->history, &event, H_SAVE, e->history_path);
    history_end(e->history);
    el_end(e->el);
    bx_free(e->history_path);
    bx_free(e);
}

static bool more_was_pasted(void) {
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

enum bx_edit bx_editor_read(struct bx_editor *e, const char *prompt, struct bx_buf *out) {
    size_t start = out->size;
    for (bool more = false;; more = true) {
        int count = 0;
        e->prompt = more ? "" : prompt;
        e->interrupted = false;
        el_set(e->el, EL_PREP_TERM,
               1); /* before the prompt is seen: a Ctrl-D on its heels is ours */
        const char *line = el_gets(e->el, &count);
        if (!line || count <= 0) {
            fputc('\n', stderr);
            return e->interrupted      ? BX_EDIT_INTERRUPTED
                   : out->size > start ? BX_EDIT_LINE
                                       : BX_EDIT_END;
        }
        size_t n = (size_t)count;
        n -= line[n - 1] == '\n';
        if (more)
            bx_buf_addc(out, '\n');
        bx_buf_add(out, line, n);
        if (!more_was_pasted())
            break;
    }
    HistEvent event;
    bx_auto(bx_freep) char *said = bx_str_dup(bx_str_slice(bx_buf_str(out), start, out->size));
    if (*said)
        history(e->history, &event, H_ENTER, said);
    return BX_EDIT_LINE;
}
