/* llama.cpp's static objects, built when the model server starts and not with every start of the program: they take
 * some milliseconds, and the server and the box workers are the same program. llama.sh renames the archive's .init_array
 * sections and its entry. */
int construct_server(int argc, char **argv);
int llama_server(int argc, char **argv) __asm__("_Z12llama_serveriPPc");

typedef void constructor(int argc, char **argv, char **envp);
extern constructor *const __start_llama_constructors[], *const __stop_llama_constructors[];
extern char **environ;

int llama_server(int argc, char **argv) {
    for (constructor *const *c = __start_llama_constructors; c < __stop_llama_constructors; c++) {
        (*c)(argc, argv, environ);
    }
    return construct_server(argc, argv);
}
