/** The one door of the page. It may import nothing but electron, or the sandbox refuses it. */
import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { channels } from './channels.ts';

ipcRenderer.on(channels.port, (event) =>
  window.postMessage(channels.port, location.origin, [...event.ports]),
);

contextBridge.exposeInMainWorld('deconBridge', {
  connect: () => ipcRenderer.send(channels.connect),
  placesOf: (files: readonly File[]) =>
    ipcRenderer.invoke(
      channels.drop,
      files.map((file) => webUtils.getPathForFile(file)),
    ),
});
