import './style/base.css'
import './style/parts.css'
import './style/views.css'
import './style/tables.css'
import './style/palette.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { guardDrops } from './ui/guard-drops.ts'
import { pinIcon } from './ui/pin-icon.ts'
import { followTheme } from './ui/theme.ts'

followTheme()
pinIcon()
guardDrops()
const element = document.getElementById('app')
if (element === null) throw new Error('the page has no place for the app')
createRoot(element).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
