// An address that is no view's: said, with the views there are.

import { h, put } from "../core/dom.js";
import * as router from "../core/router.js";
import { unknown } from "../parts/states.js";

export function mount(root, context) {
  const show = () => {
    const [name] = router.current().path;
    context.title("No such view");
    put(
      root,
      h(
        "div",
        { class: "stack" },
        unknown(
          ["There is no view “", name, "”"],
          "Those there are:",
          context.views.map(([path, label]) => [label, router.href([path])]),
        ),
      ),
    );
  };
  show();
  return { update: show, refresh() {} };
}
