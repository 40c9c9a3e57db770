import { mount } from 'svelte';
import App from './App.svelte';
import { runHostCommands } from './state/host-commands.ts';
import { live } from './state/live.svelte.ts';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';

live.start();
runHostCommands();
mount(App, { target: document.body });
