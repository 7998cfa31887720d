// Loaded before every test file. When nothing is left to wait for, the process leaves at once: Node's own way out frees the native store's
// environment, and was seen to spin there for ever. A test that left something open never comes here, and is found by its time.
process.on('beforeExit', () => process.nextTick(() => process.exit()))
