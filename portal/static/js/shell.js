/* What every page has. Each module finds its own markup and leaves the page alone where there is none. */
import { startChat } from "./chat.js";
import { startCopying } from "./copy.js";
import { startEnhancing } from "./enhance.js";
import { startFolds } from "./folds.js";
import { startMessages } from "./messages.js";
import { startSearchKey } from "./searchkey.js";
import { startTabs } from "./tabs.js";
import { startToasts } from "./toasts.js";

/** Bring to life what `root` holds; called again for each block that arrives later. */
function awaken(root) {
  startCopying(root);
  startTabs(root);
  startToasts(root);
}

awaken(document);
document.addEventListener("slipway:arrived", (event) => awaken(event.target));
startFolds();
startSearchKey();
startEnhancing();
startChat();
startMessages();
