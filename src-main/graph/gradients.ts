/**
 * Registers the gradients of tfjs operations. tfjs-core's build for Node leaves them out (its file
 * `register_all_gradients` cannot be loaded by Node); tfjs-layers carries and registers all of them.
 */
import '@tensorflow/tfjs-layers';
