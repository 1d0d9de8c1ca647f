/* A card that is not there, as NVML's C functions: what core.gpu asks for, answered at once. For tests/bench/nvml.py. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, INSUFFICIENT_SIZE = 7, MIB = 1 << 20, PROGRAMS = 4 };

struct memory { unsigned long long total, free, used; };
struct memory_v2 { unsigned version; unsigned long long total, reserved, free, used; };
struct utilization { unsigned gpu, memory; };
struct process { unsigned pid; unsigned long long used; unsigned gpu_instance, compute_instance; };

static int card;

int nvmlInitWithFlags(unsigned flags) { (void)flags; return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 1; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { (void)index; *device = &card; return SUCCESS; }
int nvmlDeviceGetMigMode(void *device, unsigned *now, unsigned *then) { return NOT_SUPPORTED; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) { snprintf(text, size, "580.95.05"); return SUCCESS; }
int nvmlSystemGetCudaDriverVersion_v2(int *version) { *version = 13000; return SUCCESS; }
int nvmlDeviceGetName(void *device, char *text, unsigned size) { snprintf(text, size, "Stand-in"); return SUCCESS; }
int nvmlDeviceGetUUID(void *device, char *text, unsigned size) { snprintf(text, size, "GPU-0"); return SUCCESS; }
int nvmlDeviceGetTemperature(void *device, unsigned sensor, unsigned *degrees) { *degrees = 41; return SUCCESS; }
int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) { *milliwatts = 35500; return SUCCESS; }
int nvmlDeviceGetEnforcedPowerLimit(void *device, unsigned *milliwatts) { *milliwatts = 450000; return SUCCESS; }

int nvmlDeviceGetMemoryInfo(void *device, struct memory *told) {
    *told = (struct memory){24564ULL * MIB, 23000ULL * MIB, 1564ULL * MIB};
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, struct memory_v2 *told) {
    told->total = 24564ULL * MIB, told->reserved = 300ULL * MIB, told->free = 23000ULL * MIB, told->used = 1264ULL * MIB;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, struct utilization *told) {
    *told = (struct utilization){7, 3};
    return SUCCESS;
}

int nvmlDeviceGetCudaComputeCapability(void *device, int *major, int *minor) {
    *major = 8, *minor = 9;
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *count, struct process *told) {
    unsigned room = *count;
    *count = PROGRAMS;
    if (told == NULL || room < PROGRAMS) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < PROGRAMS; i++) told[i] = (struct process){getpid(), 100ULL * MIB, 0, 0};
    return SUCCESS;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *device, unsigned *count, struct process *told) {
    return nvmlDeviceGetComputeRunningProcesses_v3(device, count, told);
}

int nvmlSystemGetProcessName(unsigned pid, char *text, unsigned size) {
    snprintf(text, size, "/usr/bin/program-%u", pid);
    return SUCCESS;
}

const char *nvmlErrorString(int result) { return result == NOT_SUPPORTED ? "Not Supported" : "?"; }
