#include <strings.h>

#include "base/utf8.h"
#include "json/write.h"
#include "tools/host.h"
#include "tools/native.h"
#include "tools/registry.h"

/* ToolSearch finds tools by the words of their names and descriptions, whoever provides them, and
 * loads those whose schemas are not sent to the model yet. "select:a,b" takes them by name. */

#define RESULTS_DEFAULT 5
#define WORDS_MAX       32
#define SHOWN_BYTES     400 /* of a description */

/* ---- words ---- */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

/* The next word of a text: letters and digits, also split where camelCase goes up. */
static bool next_word(struct bx_str *rest, struct bx_str *ret) {
    size_t from = 0, to;
    while (from < rest->n && !is_letter(rest->p[from]))
        from++;
    for (to = from; to < rest->n && is_letter(rest->p[to]); to++)
        if (to > from && is_upper(rest->p[to]) && !is_upper(rest->p[to - 1]))
            break;
    *ret = bx_str_slice(*rest, from, to - from);
    *rest = bx_str_slice(*rest, to, rest->n);
    return ret->n > 0;
}

/* issues finds issue, and the other way round. */
static struct bx_str stem(struct bx_str word) {
    return word.n > 3 && (word.p[word.n - 1] | 32) == 's' ? bx_str_slice(word, 0, word.n - 1)
                                                          : word;
}

static bool same(struct bx_str a, struct bx_str b) {
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool begins(struct bx_str word, struct bx_str with) {
    return with.n >= 3 && word.n > with.n && strncasecmp(word.p, with.p, with.n) == 0;
}

/* 0: not in the text; 1: a word begins with it; 2: it is a word of it. */
static int occurs(struct bx_str text, struct bx_str wanted) {
    int best = 0;
    for (struct bx_str word; best < 2 && next_word(&text, &word);) {
        if (same(stem(word), wanted))
            best = 2;
        else if (begins(word, wanted))
            best = 1;
    }
    return best;
}

struct query {
    struct bx_str words[WORDS_MAX];
    double weight[WORDS_MAX]; /* the rarer the word is among the tools, the more it says */
    size_t n;
};

static void read_query(struct bx_str text, struct query *ret) {
    static const char *const idle[] = {"a",  "an", "and", "the",  "to",   "of", "for",
                                       "in", "on", "or",  "with", "tool", "by", "from"};
    *ret = (struct query){0};
    for (struct bx_str word; ret->n < WORDS_MAX && next_word(&text, &word);) {
        bool known = false;
        word = stem(word);
        for (size_t i = 0; i < BX_ARRAY_LEN(idle); i++)
            known |= bx_str_ieqz(word, idle[i]);
        for (size_t i = 0; i < ret->n; i++)
            known |= same(word, ret->words[i]);
        if (!known)
            ret->words[ret->n++] = word;
    }
}

static void weigh(struct query *q, struct bx_tool *const *tools, size_t count) {
    for (size_t i = 0; i < q->n; i++) {
        size_t with = 0;
        for (size_t k = 0; k < count; k++)
            with += occurs(bx_str(tools[k]->name), q->words[i]) ||
                    occurs(bx_str(tools[k]->description), q->words[i]);
        double rarity = (double)count / (double)(with + 1);
        q->weight[i] = 0.2 + rarity / (rarity + 4);
    }
}

/* A word in the name says more than one in the description; all words more than some. */
static double score(const struct query *q, const struct bx_tool *t) {
    static const double in_name[] = {0, 5, 10}, in_description[] = {0, 1, 3};
    double sum = 0;
    size_t hits = 0;
    for (size_t i = 0; i < q->n; i++) {
        double one = in_name[occurs(bx_str(t->name), q->words[i])] +
                     in_description[occurs(bx_str(t->description), q->words[i])];
        sum += one * q->weight[i];
        hits += one > 0;
    }
    return q->n && hits == q->n ? sum * 1.5 : sum;
}

/* ---- choosing ---- */

struct hits {
    struct hit {
        struct bx_tool *tool;
        double score;
    } * items;
    size_t n, more;
};

static int by_score(const void *a, const void *b) {
    const struct hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return strcmp(x->tool->name, y->tool->name);
}

static void search(struct bx_str text, struct bx_tool *const *tools, size_t count, size_t max,
                   struct hits *ret) {
    struct query q;
    read_query(text, &q);
    weigh(&q, tools, count);
    for (size_t i = 0; i < count; i++) {
        double s = bx_str_ieqz(bx_str_trim(text), tools[i]->name) ? 1e9 : score(&q, tools[i]);
        if (s > 0)
            ret->items[ret->n++] = (struct hit){tools[i], s};
    }
    if (ret->n)
        qsort(ret->items, ret->n, sizeof *ret->items, by_score);
    ret->more = ret->n > max ? ret->n - max : 0;
    ret->n -= ret->more;
}

/* Names that are not there go into `missing`, each with the nearest one. */
static void select_names(struct bx_registry *registry, struct bx_str list,
                         struct bx_tool *const *tools, size_t count, struct hits *ret,
                         struct bx_buf *missing) {
    struct bx_str name;
    while (bx_str_split(&list, ',', &name)) {
        name = bx_str_trim(name);
        size_t i = 0;
        while (i < count && !bx_str_eqz(name, tools[i]->name))
            i++;
        bool twice = false;
        for (size_t k = 0; i < count && k < ret->n; k++)
            twice |= ret->items[k].tool == tools[i];
        if (i < count && !twice) {
            ret->items[ret->n++] = (struct hit){tools[i], 1};
        } else if (i == count && name.n) {
            bx_auto(bx_freep) char *z = bx_str_dup(bx_str_slice(name, 0, 130));
            bx_auto(bx_freep) char *nearest = bx_registry_nearest(registry, z);
            bx_buf_addf(missing, "There is no tool \"%s\"%s%s%s.\n", z,
                        nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                        nearest ? "\"" : "");
        }
    }
}

/* ---- telling ---- */

static void tell(const struct hits *hits, bool loads, struct bx_buf *out, struct bx_jw *meta) {
    bx_jw_obj(meta);
    bx_jw_karr(meta, "tools");
    for (size_t i = 0; i < hits->n; i++) {
        const struct bx_tool *t = hits->items[i].tool;
        size_t n = strlen(t->description),
               cut = bx_utf8_cut(bx_str(t->description), BX_MIN(n, (size_t)SHOWN_BYTES));
        bx_buf_addf(out, "- %s (%s): %.*s%s\n", t->name, bx_level_name(t->level), (int)cut,
                    t->description, cut < n ? "…" : "");
        bx_jw_z(meta, t->name);
    }
    bx_jw_end(meta);
    bx_jw_kuint(meta, "more", hits->more);
    bx_jw_end(meta);
    if (hits->more)
        bx_buf_addf(out, "%zu more match: use other words, or a greater max_results.\n",
                    hits->more);
    if (hits->n)
        bx_buf_addz(out, loads ? "They are in your list of tools from now on.\n"
                               : "You can call them.\n");
}

/* Those that may be deferred, here or in a small window, are recorded as loaded. Which of them are
 * is the run's business. */
static int load(struct bx_tool_ctx *ctx, const struct hits *hits, bool *ret_any,
                struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf event = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    *ret_any = false;
    bx_jw_init(&w, &event);
    bx_jw_obj(&w);
    bx_jw_karr(&w, "tools");
    for (size_t i = 0; i < hits->n; i++) {
        if (bx_tool_is_core(hits->items[i].tool))
            continue;
        bx_jw_z(&w, hits->items[i].tool->name);
        *ret_any = true;
    }
    bx_jw_end(&w);
    bx_jw_end(&w);
    *ret_any &= ctx->host != NULL;
    return *ret_any ? ctx->host->record(ctx, "tools_loaded", bx_buf_str(&event), err) : 0;
}

static int respond(struct bx_tool_ctx *ctx, const struct hits *hits, struct bx_buf *text,
                   struct bx_tool_result *ret, struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf meta = BX_BUF_INIT(64 * BX_KIB);
    struct bx_err problem = {0};
    struct bx_jw w;
    bool loads = false;
    int rc = load(ctx, hits, &loads, &problem);
    if (rc)
        return bx_tool_host_failed(rc, &problem, ret, err);
    bx_jw_init(&w, &meta);
    tell(hits, loads, text, &w);
    if (!hits->n && !text->size)
        bx_buf_addz(text, "No tool matches. Try other words for what it should do.");
    bx_tool_result_text(ret, !hits->n, "%s", bx_buf_z(text));
    ret->metadata = bx_buf_steal(&meta);
    return 0;
}

static int search_execute(const struct bx_tool *t, const struct bx_val *input,
                          struct bx_tool_ctx *ctx, struct bx_tool_result *ret, struct bx_err *err) {
    struct bx_str text = bx_str_trim(bx_val_get_str(input, "query"));
    size_t count = 0, kept = 0;
    if (!text.n) {
        bx_tool_result_text(
            ret, true, "\"query\" is empty: say what the tool should do, or select:NAME,NAME.");
        return 0;
    }
    bx_auto(bx_freep) struct bx_tool **tools = bx_registry_all(ctx->registry, &count);
    for (size_t i = 0; i < count; i++) {
        if (tools[i]->level == BX_LEVEL_FORBIDDEN || tools[i] == t)
            bx_tool_unref(tools[i]);
        else
            tools[kept++] = tools[i];
    }
    bx_auto(bx_buf_deinit) struct bx_buf out = BX_BUF_INIT(BX_MIB);
    bx_auto(bx_freep) struct hit *room = bx_realloc_array(NULL, kept + 1, sizeof *room);
    struct hits hits = {.items = room};
    if (bx_str_starts(text, "select:"))
        select_names(ctx->registry, bx_str_slice(text, 7, text.n), tools, kept, &hits, &out);
    else
        search(text, tools, kept, (size_t)bx_val_get_int(input, "max_results", RESULTS_DEFAULT),
               &hits);
    int rc = respond(ctx, &hits, &out, ret, err);
    for (size_t i = 0; i < kept; i++)
        bx_tool_unref(tools[i]);
    return rc;
}

const struct bx_native_spec bx_native_tool_search = {
    .name = "ToolSearch",
    .description =
        "Finds tools by what they do, those of MCP servers and from files included, and loads "
        "those whose inputs you were not told yet, so that you can call them. Give a few words "
        "(\"create issue\"), or select:NAME,NAME for tools whose names you know.",
    .level = BX_LEVEL_NONE,
    .schema = "{\"type\":\"object\",\"properties\":{"
              "\"query\":{\"type\":\"string\",\"maxLength\":2000,\"description\":\"Words, or "
              "select:NAME,NAME\"},"
              "\"max_results\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":50,\"description\":"
              "\"5 unless told\"}},"
              "\"required\":[\"query\"],\"additionalProperties\":false}",
    .example = "{\"query\":\"create issue\"}",
    .execute = search_execute,
};
