/* table ELEMENTS, or --n=ELEMENTS: grows a table to that size. C has no word for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int grow_by(int elements);

__asm__(".tabletype own_table, funcref\n"
        "own_table:\n"
        ".globl grow_by\n"
        ".type grow_by,@function\n"
        "grow_by:\n"
        ".functype grow_by (i32) -> (i32)\n"
        "ref.null_func\n"
        "local.get 0\n"
        "table.grow own_table\n"
        "end_function\n");

static int number(const char *arg) {
    const char *value = strchr(arg, '=');
    return atoi(value ? value + 1 : arg);
}

int main(int argc, char **argv) {
    int had = grow_by(argc > 1 ? number(argv[1]) : 1);
    printf("%d\n", had);
    return had < 0;
}
