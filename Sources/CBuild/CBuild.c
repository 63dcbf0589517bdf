#include "CBuild.h"

#ifndef INFRAKIT_COMMIT
#define INFRAKIT_COMMIT "unknown"
#endif

#ifndef INFRAKIT_VERSION
#define INFRAKIT_VERSION "unknown"
#endif

const char *cbuild_commit(void) {
    return INFRAKIT_COMMIT;
}

const char *cbuild_version(void) {
    return INFRAKIT_VERSION;
}
