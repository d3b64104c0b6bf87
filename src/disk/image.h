// Disk images by their files: what they say of themselves, and copying them. Knows no machine.
#pragma once

#include "disk/check.h"
#include "disk/copy_image.h"
#include "disk/qcow2_header.h"
