// main.c - image "tools": the programs that we write ourselves, chosen by the name they are called
// by
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "programs/programs.h"
#include "programs/tool.h"

static const struct program {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *use; // of --help
} programs[] = {
    {"cat", cat_main, "[-AbEnsTv] [FILE]..."},
    {"column", column_main,
     "[-t] [-s SEPARATORS] [-o SEPARATOR] [-N NAMES] [-R COLUMNS] [-c WIDTH] [FILE]..."},
    {"comm", comm_main, "[-123] FILE1 FILE2"},
    {"csplit", csplit_main, "[-kszf PREFIX] [-n DIGITS] FILE PATTERN..."},
    {"cut", cut_main,
     "-b LIST | -c LIST | -f LIST [-d C] [-s] [--complement] [--output-delimiter=S] [FILE]..."},
    {"date", date_main, "[-d TIME] [-r FILE] [-I[SPEC]] [-R] [-u] [+FORMAT]"},
    {"diff", diff_main, "[-abBiNqrsuUwyZ] [-x GLOB] [-L LABEL] OLD NEW"},
    {"du", du_main, "[-abchsS] [-d DEPTH] [--exclude=GLOB] [FILE]..."},
    {"egrep", grep_main, "PATTERN [FILE]... (grep -E)"},
    {"expr", expr_main, "EXPRESSION"},
    {"fgrep", grep_main, "TEXT [FILE]... (grep -F)"},
    {"find", find_main, "[-H|-L] [PATH]... [EXPRESSION]"},
    {"grep", grep_main,
     "[-EFGPabcHhiLlnoqrRsvwxz] [-A N] [-B N] [-C N] [-m N] [--include=GLOB] PATTERN [FILE]..."},
    {"gunzip", gzip_main, "[-cfkqt] [FILE]..."},
    {"gzip", gzip_main, "[-cdfklqt1-9] [-S SUFFIX] [FILE]..."},
    {"head", head_main, "[-n [-]LINES | -c [-]BYTES] [-qvz] [FILE]..."},
    {"join", join_main, "[-1 N] [-2 N] [-t C] [-a N] [-v N] [-e S] [-o LIST] FILE1 FILE2"},
    {"ls", ls_main, "[-1aAcCdfFghilLnoprRsStuUvX] [--full-time] [FILE]..."},
    {"mktemp", mktemp_main, "[-dqut] [-p FOLDER] [--suffix=S] [TEMPLATE]"},
    {"nl", nl_main, "[-b a|t|n|pREGEX] [-n ln|rn|rz] [-w N] [-s S] [-v N] [-i N] [FILE]..."},
    {"numfmt", numfmt_main, "[--from=UNIT] [--to=UNIT] [--field=N] [--suffix=S] [NUMBER]..."},
    {"patch", patch_main,
     "[-p N] [-R] [-i PATCH] [-d FOLDER] [-o FILE] [-N] [-b] [-s] [--dry-run] [FILE [PATCH]]"},
    {"sed", sed_main, "[-Einsz] SCRIPT | -e SCRIPT | -f FILE [FILE]..."},
    {"shuf", shuf_main, "[-n N] [-e WORD... | -i LOW-HIGH | FILE]"},
    {"sort", sort_main, "[-bcCdfghmMnrRsuVz] [-k KEY] [-t C] [-o FILE] [FILE]..."},
    {"split", split_main,
     "[-l LINES | -b BYTES | -C BYTES | -n [l/]CHUNKS] [-a N] [-dx] [--additional-suffix=S] [FILE "
     "[PREFIX]]"},
    {"sum", sum_main, "[FILE]..."},
    {"tac", tac_main, "[FILE]..."},
    {"tail", tail_main, "[-n [+]LINES | -c [+]BYTES] [-qvz] [FILE]..."},
    {"timeout", timeout_main, "[-s SIGNAL] DURATION COMMAND [ARGUMENT]..."},
    {"tree", tree_main,
     "[-adfFhis] [-L DEPTH] [-I GLOB] [-P GLOB] [--dirsfirst] [--noreport] [FOLDER]..."},
    {"tsort", tsort_main, "[FILE]"},
    {"unexpand", unexpand_main, "[-a] [-t N] [FILE]..."},
    {"uniq", uniq_main, "[-cdDiuz] [-f N] [-s N] [-w N] [INPUT [OUTPUT]]"},
    {"unzip", unzip_main, "[-lptonqj] [-d FOLDER] FILE [NAME]... [-x NAME...]"},
    {"wc", wc_main, "[-clLmw] [FILE]..."},
    {"xargs", xargs_main,
     "[-0rtx] [-I S] [-n N] [-L N] [-P N] [-d C] [-a FILE] [COMMAND [ARGUMENT]...]"},
    {"zcat", gzip_main, "[FILE]..."},
    {"zip", zip_main, "[-rjqD0-9] FILE NAME... [-x NAME...]"},
};

int main(int argc, char **argv) {
    const char *slash = argc ? strrchr(argv[0], '/') : NULL, *name = slash  ? slash + 1
                                                                     : argc ? argv[0]
                                                                            : "";
    if (!strcmp(name, "tools") && argc > 1) {
        return main(argc - 1, argv + 1);
    }
    for (size_t i = 0; i < TOOL_LEN(programs); i++) {
        if (!strcmp(name, programs[i].name)) {
            bx_tool = programs[i].name;
            if (argc == 2 && !strcmp(argv[1], "--help") && strcmp(name, "expr")) {
                printf("Usage: %s %s\n", name, programs[i].use);
                return 0;
            }
            argv[0] = (char *)name;
            int status = programs[i].main(argc, argv);
            return fflush(stdout) && !status ? 1 : status;
        }
    }
    for (size_t i = 0; !strcmp(name, "tools") && i < TOOL_LEN(programs); i++) {
        puts(programs[i].name);
    }
    return strcmp(name, "tools") ? 127 : 0;
}
