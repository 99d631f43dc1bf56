import { forwardToBackend } from "@/composition.server";

export const dynamic = "force-dynamic";

export {
  forwardToBackend as DELETE, forwardToBackend as GET, forwardToBackend as HEAD, forwardToBackend as OPTIONS,
  forwardToBackend as PATCH, forwardToBackend as POST, forwardToBackend as PUT,
};
