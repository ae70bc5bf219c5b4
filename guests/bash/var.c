// Variables, arrays and functions: tables whose content is shared between a shell and the copies of
// its state.
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bash/sh.h"

static unsigned
hash_of(const char *name) { // as bash's own: the order of associative arrays comes from it
    unsigned hash = 2166136261U;
    for (; *name; name++) {
        hash = (hash * 16777619U) ^ (unsigned)*name;
    }
    return hash;
}

static struct sh_entry **slot_of(struct sh_table *table, const char *name) {
    struct sh_entry **slot = &table->buckets[hash_of(name) % SH_BUCKETS];
    while (*slot && strcmp((*slot)->name, name) != 0) {
        slot = &(*slot)->next;
    }
    return slot;
}

static char *copy_of(const char *text) {
    return text ? bx_strndup(text, strlen(text)) : NULL;
}

static void free_items(struct sh_var *var) {
    for (size_t i = 0; i < var->n; i++) {
        free(var->items[i].key);
        free(var->items[i].value);
    }
    free(var->items);
    var->items = NULL;
    var->n = var->cap = 0;
}

static void var_unref(struct sh_var *var) {
    if (var && --var->refs == 0) {
        free_items(var);
        free(var->name);
        free(var->value);
        free(var);
    }
}

static struct sh_var *var_copy(const struct sh_var *var) {
    struct sh_var *copy = bx_alloc(sizeof *copy);
    *copy = *var;
    copy->refs = 1;
    copy->name = copy_of(var->name);
    copy->value = copy_of(var->value);
    copy->cap = var->n;
    copy->items = var->n ? bx_alloc(var->n * sizeof *copy->items) : NULL;
    for (size_t i = 0; i < var->n; i++) {
        copy->items[i] = (struct sh_item){var->items[i].index, copy_of(var->items[i].key),
                                          copy_of(var->items[i].value)};
    }
    return copy;
}

struct sh_program *sh_program_ref(struct sh_program *program) {
    program->refs++;
    return program;
}

void sh_program_unref(struct sh_program *program) {
    if (program && --program->refs == 0) {
        sh_arena_deinit(&program->arena);
        free(program->text);
        free(program);
    }
}

static void function_unref(struct sh_function *f) {
    if (f && --f->refs == 0) {
        sh_program_unref(f->program);
        free(f->name);
        free(f);
    }
}

struct sh_table *sh_table_copy(const struct sh_table *table) {
    struct sh_table *copy = bx_alloc(sizeof *copy);
    for (size_t i = 0; i < SH_BUCKETS; i++) {
        struct sh_entry **tail = &copy->buckets[i];
        for (const struct sh_entry *e = table->buckets[i]; e; e = e->next) {
            struct sh_entry *entry = bx_alloc(sizeof *entry);
            *entry = *e;
            if (e->var) {
                e->var->refs++;
            }
            if (e->function) {
                e->function->refs++;
            }
            *tail = entry;
            tail = &entry->next;
        }
        *tail = NULL;
    }
    return copy;
}

void sh_table_free(struct sh_table *table) {
    for (size_t i = 0; i < SH_BUCKETS; i++) {
        for (struct sh_entry *e = table->buckets[i], *next; e; e = next) {
            next = e->next;
            var_unref(e->var);
            function_unref(e->function);
            free(e);
        }
    }
    free(table);
}

struct sh_var *sh_var_get_raw(struct sh *sh, const char *name) {
    struct sh_entry *e = *slot_of(sh->vars, name);
    return e ? e->var : NULL;
}

static const char *follow(struct sh *sh, const char *name) {
    for (int i = 0; i < 8; i++) {
        struct sh_var *var = sh_var_get_raw(sh, name);
        if (!var || !(var->flags & SH_NAMEREF) || !var->value ||
            !sh_is_name(var->value, strlen(var->value))) {
            break;
        }
        name = var->value;
    }
    return name;
}

struct sh_var *sh_var_get(struct sh *sh, const char *name) {
    return sh_var_get_raw(sh, follow(sh, name));
}

static void put(struct sh *sh, const char *name, struct sh_var *take_var) {
    struct sh_entry **slot = slot_of(sh->vars, name);
    if (!take_var) {
        struct sh_entry *e = *slot;
        if (e) {
            *slot = e->next;
            var_unref(e->var);
            free(e);
        }
        return;
    }
    if (!*slot) {
        *slot = bx_alloc(sizeof **slot);
        **slot = (struct sh_entry){.next = NULL};
    } else {
        var_unref((*slot)->var);
    }
    (*slot)->name = take_var->name;
    (*slot)->var = take_var;
}

struct sh_var *sh_var_make_raw(struct sh *sh, const char *name) {
    struct sh_var *var = sh_var_get_raw(sh, name);
    if (!var) {
        var = bx_alloc(sizeof *var);
        *var = (struct sh_var){
            .refs = 1, .name = copy_of(name), .flags = sh->options & SH_ALLEXPORT ? SH_EXPORT : 0};
        put(sh, name, var);
    } else if (var->refs > 1) {
        var = var_copy(var);
        put(sh, name, var);
    }
    return var;
}

struct sh_var *sh_var_make(struct sh *sh, const char *name) {
    return sh_var_make_raw(sh, follow(sh, name));
}

bool sh_var_unset(struct sh *sh, const char *name, bool follows) {
    name = follows ? follow(sh, name) : name;
    struct sh_var *var = sh_var_get_raw(sh, name);
    if (var && var->flags & SH_READONLY) {
        sh_say(sh, "unset: %s: cannot unset: readonly variable", name);
        return false;
    }
    put(sh, name, NULL);
    return true;
}

// --- values

static bool is_writable(struct sh *sh, const struct sh_var *var) {
    if (var->flags & SH_READONLY) {
        sh_say(sh, "%s: readonly variable", var->name);
        return false;
    }
    return true;
}

// The value as the attributes want it, malloced; NULL after a message
static char *shaped(struct sh *sh, const struct sh_var *var, const char *old, const char *value,
                    bool append) {
    char number[32];
    if (var->flags & SH_INTEGER) {
        long long n = 0, before = 0;
        if (!sh_arith(sh, value, &n) || (append && old && !sh_arith(sh, old, &before))) {
            return NULL;
        }
        snprintf(number, sizeof number, "%lld",
                 append ? (long long)((unsigned long long)n + (unsigned long long)before) : n);
        return copy_of(number);
    }
    size_t n = append && old ? strlen(old) : 0, m = strlen(value);
    char *text = bx_alloc(n + m + 1);
    if (n) {
        memcpy(text, old, n);
    }
    memcpy(text + n, value, m + 1);
    for (char *c = text; var->flags & (SH_TO_LOWER | SH_TO_UPPER) && *c; c++) {
        if (var->flags & SH_TO_LOWER && *c >= 'A' && *c <= 'Z') {
            *c = (char)(*c + 32);
        } else if (var->flags & SH_TO_UPPER && *c >= 'a' && *c <= 'z') {
            *c = (char)(*c - 32);
        }
    }
    return text;
}

bool sh_set_var(struct sh *sh, struct sh_var *var, const char *value, bool append) {
    if (var->flags & SH_INDEXED) {
        return sh_set_index(sh, var, 0, value, append);
    }
    if (var->flags & SH_ASSOC) {
        return sh_set_key(sh, var, "0", value, append);
    }
    if (!is_writable(sh, var)) {
        return false;
    }
    char *text = shaped(sh, var, var->value, value, append);
    if (!text) {
        return false;
    }
    free(var->value);
    var->value = text;
    var->flags |= SH_IS_SET;
    return true;
}

bool sh_set(struct sh *sh, const char *name, const char *value) {
    if (strcmp(name, "RANDOM") == 0) {
        sh->random = (unsigned)atoi(value);
    } else if (strcmp(name, "SECONDS") == 0) {
        sh->seconds_offset = atoll(value) * 1000 - (sh_now_ms() - sh->start_ms);
    } else if (strcmp(name, "OPTIND") == 0) {
        sh->getopts_at = 0;
    }
    return sh_set_var(sh, sh_var_make(sh, name), value, false);
}

static size_t place_of(const struct sh_var *var,
                       long long index) { // of the first item that is not before it
    if (var->n && var->items[var->n - 1].index < index) {
        return var->n;
    }
    size_t low = 0, high = var->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (var->items[middle].index < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct sh_item *insert(struct sh_var *var, size_t at) {
    if (var->n == var->cap) {
        var->cap = var->cap * 2 + 8;
        var->items = bx_realloc(var->items, var->cap * sizeof *var->items);
    }
    memmove(var->items + at + 1, var->items + at, (var->n - at) * sizeof *var->items);
    var->n++;
    var->items[at] = (struct sh_item){0};
    return &var->items[at];
}

void sh_clear_array(struct sh_var *var, unsigned kind) {
    free_items(var);
    free(var->value);
    var->value = NULL;
    var->flags = (var->flags & ~(unsigned)(SH_INDEXED | SH_ASSOC)) | kind | SH_IS_SET;
}

static void become_array(struct sh_var *var) {
    if (var->flags & (SH_INDEXED | SH_ASSOC)) {
        return;
    }
    char *value = var->value;
    var->value = NULL;
    var->flags |= SH_INDEXED;
    if (value) {
        insert(var, 0)->value = value;
    }
}

bool sh_set_index(struct sh *sh, struct sh_var *var, long long index, const char *value,
                  bool append) {
    if (!is_writable(sh, var)) {
        return false;
    }
    become_array(var);
    if (index < 0) {
        index += var->n ? var->items[var->n - 1].index + 1 : 0;
    }
    if (index < 0) {
        sh_say(sh, "%s: bad array subscript", var->name);
        return false;
    }
    size_t at = place_of(var, index);
    bool is_there = at < var->n && var->items[at].index == index;
    char *text = shaped(sh, var, is_there ? var->items[at].value : NULL, value, append);
    if (!text) {
        return false;
    }
    struct sh_item *item = is_there ? &var->items[at] : insert(var, at);
    free(item->value);
    item->index = index;
    item->value = text;
    var->flags |= SH_IS_SET;
    return true;
}

static unsigned bucket_of(const char *key) {
    return hash_of(key) & 1023;
}

bool sh_set_key(struct sh *sh, struct sh_var *var, const char *key, const char *value,
                bool append) {
    if (!is_writable(sh, var)) {
        return false;
    }
    if (!*key) {
        sh_say(sh, "%s: bad array subscript", var->name);
        return false;
    }
    size_t low = 0, high = var->n; // in the order in which bash walks through its table
    unsigned bucket = bucket_of(key);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bucket_of(var->items[middle].key) < bucket) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    size_t at = low;
    while (at < var->n && bucket_of(var->items[at].key) == bucket &&
           strcmp(var->items[at].key, key) != 0) {
        at++;
    }
    bool is_there = at < var->n && strcmp(var->items[at].key, key) == 0;
    char *text = shaped(sh, var, is_there ? var->items[at].value : NULL, value, append);
    if (!text) {
        return false;
    }
    struct sh_item *item = is_there ? &var->items[at] : insert(var, low);
    if (!is_there) {
        item->key = copy_of(key);
    }
    free(item->value);
    item->value = text;
    var->flags |= SH_IS_SET;
    return true;
}

bool sh_set_array(struct sh *sh, const char *name, const char *const *values, size_t n) {
    struct sh_var *var = sh_var_make(sh, name);
    if (!is_writable(sh, var)) {
        return false;
    }
    sh_clear_array(var, SH_INDEXED);
    for (size_t i = 0; i < n; i++) {
        sh_set_index(sh, var, (long long)i, values[i], false);
    }
    return true;
}

const char *sh_item_get(const struct sh_var *var, long long index) {
    if (!(var->flags & SH_INDEXED)) {
        return index == 0 || index == -1 ? var->value : NULL;
    }
    if (index < 0) {
        index += var->n ? var->items[var->n - 1].index + 1 : 0;
    }
    size_t at = place_of(var, index);
    return at < var->n && var->items[at].index == index ? var->items[at].value : NULL;
}

static size_t key_at(const struct sh_var *var, const char *key) {
    for (size_t i = 0; i < var->n; i++) {
        if (strcmp(var->items[i].key, key) == 0) {
            return i;
        }
    }
    return var->n;
}

const char *sh_key_get(const struct sh_var *var, const char *key) {
    size_t at = key_at(var, key);
    return at < var->n ? var->items[at].value : NULL;
}

void sh_item_unset(struct sh_var *var, long long index, const char *key) {
    size_t at = var->n;
    if (key) {
        at = key_at(var, key);
    } else {
        index += index < 0 && var->n ? var->items[var->n - 1].index + 1 : 0;
        size_t place = place_of(var, index);
        at = place < var->n && var->items[place].index == index ? place : at;
    }
    if (at < var->n) {
        free(var->items[at].key);
        free(var->items[at].value);
        memmove(var->items + at, var->items + at + 1, (var->n - at - 1) * sizeof *var->items);
        var->n--;
    }
}

// --- what has no place in the table

static const char *number(struct sh *sh, long long n) {
    char text[32];
    int len = snprintf(text, sizeof text, "%lld", n);
    return sh_arena_copy(&sh->scratch, text, (size_t)len);
}

const char *sh_special(struct sh *sh, const char *name) {
    if (strcmp(name, "RANDOM") == 0) {
        sh->random = sh->random * 1103515245U + 12345U;
        return number(sh, (sh->random >> 16) & 32767);
    }
    if (strcmp(name, "SRANDOM") == 0) {
        sh->random = sh->random * 1103515245U + 12345U;
        return number(sh, sh->random);
    }
    if (strcmp(name, "SECONDS") == 0) {
        return number(sh, (sh_now_ms() - sh->start_ms + sh->seconds_offset) / 1000);
    }
    if (strcmp(name, "EPOCHSECONDS") == 0) {
        return number(sh, (long long)time(NULL));
    }
    if (strcmp(name, "EPOCHREALTIME") == 0) {
        struct timespec now;
        char text[48];
        clock_gettime(CLOCK_REALTIME, &now);
        int len =
            snprintf(text, sizeof text, "%lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
        return sh_arena_copy(&sh->scratch, text, (size_t)len);
    }
    if (strcmp(name, "LINENO") == 0) {
        return number(sh, sh->line);
    }
    if (strcmp(name, "BASHPID") == 0) {
        return number(sh, sh->pid + sh->subshell_depth);
    }
    if (strcmp(name, "BASH_SUBSHELL") == 0) {
        return number(sh, sh->subshell_depth);
    }
    if (strcmp(name, "FUNCNAME") == 0) {
        return sh->function_name;
    }
    if (strcmp(name, "BASH_SOURCE") ==
        0) { // the file that runs or is read; of a command there is none
        return strcmp(sh->name, "bash") == 0 ? NULL : sh->name;
    }
    if (strcmp(name, "SHELLOPTS") == 0) {
        return "braceexpand:hashall:interactive-comments";
    }
    return NULL;
}

const char *sh_get(struct sh *sh, const char *name) {
    const struct sh_var *var = sh_var_get(sh, name);
    const char *special = var && !(strcmp(name, "RANDOM") == 0 || strcmp(name, "SECONDS") == 0)
                              ? NULL
                              : sh_special(sh, name);
    if (special) {
        return special;
    }
    if (!var) {
        return NULL;
    }
    return var->flags & SH_ASSOC ? sh_key_get(var, "0") : sh_item_get(var, 0);
}

// --- scopes

void sh_scope_push(struct sh *sh, struct sh_scope *scope) {
    scope->above = sh->scope;
    sh->scope = scope;
}

void sh_local(struct sh *sh, const char *name) {
    struct sh_scope *scope = sh->scope;
    for (size_t i = 0; i < scope->n; i++) {
        if (strcmp(scope->saved[i].name, name) == 0) {
            return;
        }
    }
    if (scope->n == scope->cap) {
        scope->cap = scope->cap * 2 + 8;
        scope->saved = bx_realloc(scope->saved, scope->cap * sizeof *scope->saved);
    }
    struct sh_var *var = sh_var_get_raw(sh, name);
    if (var) {
        var->refs++;
    }
    scope->saved[scope->n++] = (struct sh_saved){copy_of(name), var};
    put(sh, name, NULL);
}

void sh_scope_pop(struct sh *sh) {
    struct sh_scope *scope = sh->scope;
    sh->scope = scope->above;
    while (scope->n) {
        struct sh_saved *saved = &scope->saved[--scope->n];
        put(sh, saved->name, saved->var);
        free(saved->name);
    }
    free(scope->saved);
}

// --- functions

struct sh_function *sh_function_get(struct sh *sh, const char *name) {
    struct sh_entry *e = *slot_of(sh->functions, name);
    return e ? e->function : NULL;
}

void sh_function_unset(struct sh *sh, const char *name) {
    struct sh_entry **slot = slot_of(sh->functions, name), *e = *slot;
    if (e) {
        *slot = e->next;
        function_unref(e->function);
        free(e);
    }
}

void sh_function_set(struct sh *sh, const char *name, const struct sh_node *node) {
    struct sh_function *f = bx_alloc(sizeof *f);
    *f = (struct sh_function){1, copy_of(name), node, sh_program_ref(sh->program)};
    sh_function_unset(sh, name);
    struct sh_entry **slot = slot_of(sh->functions, name);
    *slot = bx_alloc(sizeof **slot);
    **slot = (struct sh_entry){.name = f->name, .function = f};
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **sh_names(struct sh *sh, const struct sh_table *table, size_t *ret_n) {
    size_t n = 0, at = 0;
    for (size_t i = 0; i < SH_BUCKETS; i++) {
        for (const struct sh_entry *e = table->buckets[i]; e; e = e->next) {
            n++;
        }
    }
    const char **names = sh_arena_alloc(&sh->scratch, (n + 1) * sizeof *names);
    for (size_t i = 0; i < SH_BUCKETS; i++) {
        for (const struct sh_entry *e = table->buckets[i]; e; e = e->next) {
            names[at++] = e->name;
        }
    }
    qsort(names, n, sizeof *names, compare_names);
    *ret_n = n;
    return names;
}
