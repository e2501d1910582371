export { createFakePlatform } from "./platform";
export { type FakeMode, fakeModeFromUrl } from "./mode";
