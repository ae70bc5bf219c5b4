/* The shell's expansions and arithmetic, on whatever text: each file of the folders named on the
 * command line, then some hundred changed copies of it, the same ones in every run. Lines that
 * would run a command are left out. Not linked with the rooms: the guest's names are its own. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bash/sh.h"

enum { COPIES = 100, MAX_BYTES = 4096 };

static struct sh shell;

static bool runs_commands(const struct sh_part *part) {
    for (; part; part = part->next) {
        const struct sh_param *param = part->param;
        if (part->kind == SH_COMMAND || part->kind == SH_PROCESS || runs_commands(part->parts)) {
            return true;
        }
        const struct sh_word *words[3] = {param ? param->index : NULL, param ? param->arg : NULL,
                                          param ? param->arg2 : NULL};
        for (int i = 0; i < 3; i++) {
            if (words[i] && runs_commands(words[i]->parts)) {
                return true;
            }
        }
    }
    return false;
}

static void try_line(struct sh *sh, const char *line) {
    struct sh_arena_mark mark = sh_arena_mark(&sh->scratch);
    struct sh_parser parser;
    struct sh_fields fields = {0};
    long long number;
    sh_parser_init(&parser, &sh->scratch, line, strlen(line), 1);
    const struct sh_word *word = sh_parse_word(&parser, SH_IN_WORD);
    if (word && !runs_commands(word->parts)) {
        sh_expand_word(sh, word, &fields);
        sh_expand_text(sh, word);
        sh_expand_pattern(sh, word);
    }
    sh->flow = SH_GO;
    sh_arith(sh, line, &number);
    sh_match(line, "src/some file.c", 15, SH_MATCH_EXT);
    sh->flow = SH_GO;
    sh_arena_rewind(&sh->scratch, mark);
}

static void try_text(struct sh *sh, char *text) {
    const char *const values[] = {"one", "two  three", ""};
    sh_set(sh, "x", "some text/with.parts");
    sh_set_array(sh, "a", values, 3);
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        try_line(sh, line);
    }
}

static unsigned next_random(unsigned *seed) {
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static void try_file(struct sh *sh, const char *path) {
    static const char telling[] = "${}[]()'\"\\*?+-/:#%^,@!~|&;<>=0129 ax";
    char text[MAX_BYTES + 1], copy[MAX_BYTES + 1];
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, MAX_BYTES, file) : 0;
    unsigned seed = 1;
    if (file) {
        fclose(file);
    }
    for (int i = 0; i <= COPIES; i++) {
        memcpy(copy, text, n);
        copy[n] = '\0';
        for (unsigned k = i ? 1 + next_random(&seed) % 12 : 0; k && n; k--) {
            copy[next_random(&seed) % n] = telling[next_random(&seed) % (sizeof telling - 1)];
        }
        try_text(sh, copy);
    }
}

int main(int argc, char **argv) {
    sh_init(&shell);
    shell.options = SH_NOGLOB; /* the folder's names are not part of the input */
    for (int fd = 0; fd < 3; fd++) {
        sh_fd_set(&shell, fd, sh_io_new(SH_IO_NULL));
    }
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] != '.') {
                try_file(&shell, path);
            }
        }
        if (!dir) {
            fprintf(stderr, "%s: no such folder\n", argv[i]);
            return 1;
        }
        closedir(dir);
    }
    return 0;
}
