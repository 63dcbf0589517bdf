#include "CBuild.h"

#ifndef INFRAKIT_COMMIT
#define INFRAKIT_COMMIT "unknown"
#endif

const char *cbuild_commit(void) {
    return INFRAKIT_COMMIT;
}
