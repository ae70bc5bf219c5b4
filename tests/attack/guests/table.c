/* table ELEMENTS: grows a table to that size. C has no word for it. */
#include <stdio.h>
#include <stdlib.h>

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

int main(int argc, char **argv) {
    int had = grow_by(argc > 1 ? atoi(argv[1]) : 1);
    printf("%d\n", had);
    return had < 0;
}
