#include lib/dependencies.sh
