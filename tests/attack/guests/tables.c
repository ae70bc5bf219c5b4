/* tables: has nine tables of its own beside the compiler's. C has no word for them. */
#include <stdio.h>

int sizes(void);

/* clang-format off */
__asm__(
        ".tabletype t0, funcref\n"
        "t0:\n"
        ".tabletype t1, funcref\n"
        "t1:\n"
        ".tabletype t2, funcref\n"
        "t2:\n"
        ".tabletype t3, funcref\n"
        "t3:\n"
        ".tabletype t4, funcref\n"
        "t4:\n"
        ".tabletype t5, funcref\n"
        "t5:\n"
        ".tabletype t6, funcref\n"
        "t6:\n"
        ".tabletype t7, funcref\n"
        "t7:\n"
        ".tabletype t8, funcref\n"
        "t8:\n"
        ".globl sizes\n"
        ".type sizes,@function\n"
        "sizes:\n"
        ".functype sizes () -> (i32)\n"
        "table.size t0\n"
        "table.size t1\n"
        "i32.add\n"
        "table.size t2\n"
        "i32.add\n"
        "table.size t3\n"
        "i32.add\n"
        "table.size t4\n"
        "i32.add\n"
        "table.size t5\n"
        "i32.add\n"
        "table.size t6\n"
        "i32.add\n"
        "table.size t7\n"
        "i32.add\n"
        "table.size t8\n"
        "i32.add\n"
        "end_function\n");
/* clang-format on */

int main(void) {
    printf("%d\n", sizes());
    return 0;
}
